-- Differences between the broker's positions and our fills since a moment: how many were noticed, how many are gone.
select uniqExact(break_id) as noticed, uniqExactIf(break_id, state = 'closed') as lifted
from core.break_events
where kind = 'live_position' and event_at >= {since:DateTime64(6, 'UTC')}
