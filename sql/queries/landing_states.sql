-- The newest state of each of these contents.
select sha256, argMax(toString(state), event_at) as state
from audit.landing_events
where sha256 in {sha256s:Array(String)}
group by sha256
