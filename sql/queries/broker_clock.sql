-- The newest complete reading of the broker's clock.
select heard_at, broker_at, skew_ms
from audit.broker_clock
where completeness = 'complete'
order by heard_at desc
limit 1
