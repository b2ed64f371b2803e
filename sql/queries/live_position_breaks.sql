-- Differences between the broker's positions and our fills since a moment: how many were noticed, how many are gone, how
-- many that the broker's rules do not explain stand.
select
    count() as noticed,
    countIf(b.last_state = 'closed') as lifted,
    countIf(b.last_state = 'open') as unexplained
from
(
    select e.break_id as break_id, argMax(e.state, (e.sequence, e.event_at, e.event_id)) as last_state
    from core.break_events as e
    where e.kind = 'live_position' and e.event_at >= {since:DateTime64(6, 'UTC')}
    group by break_id
) as b
