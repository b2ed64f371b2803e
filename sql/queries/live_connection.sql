-- What became of the connection to the broker since a moment: states as they followed, and each answer about executions.
select heard_at, 'link' as told, state, '' as completeness
from audit.broker_events
where kind = 'link' and heard_at >= {since:DateTime64(6, 'UTC')}
union all
select heard_at, 'answer' as told, '' as state, toString(completeness) as completeness
from audit.broker_answers
where question = 'executions' and heard_at >= {since:DateTime64(6, 'UTC')}
order by heard_at, told
