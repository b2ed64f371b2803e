-- What became of the connection to the broker since a moment: states as they followed, and each answer about executions.
select l.heard_at as heard_at, l.told as told, l.state as state, l.completeness as completeness
from
(
    select e.heard_at as heard_at, 'link' as told, e.state as state, '' as completeness, e.entry_ms as entry_ms, e.entry_seq as entry_seq
    from audit.broker_events as e
    where e.kind = 'link' and e.heard_at >= {since:DateTime64(6, 'UTC')}
    union all
    select a.heard_at as heard_at, 'answer' as told, '' as state, toString(a.completeness) as completeness, a.entry_ms, a.entry_seq
    from audit.broker_answers as a
    where a.question = 'executions' and a.heard_at >= {since:DateTime64(6, 'UTC')}
) as l
order by l.heard_at, l.entry_ms, l.entry_seq
