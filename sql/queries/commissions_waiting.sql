-- How many commission reports have no fee yet, for want of their execution.
select uniqExact(exec_id) as waiting
from audit.commissions_waiting
where received_at >= {since:DateTime64(6, 'UTC')}
