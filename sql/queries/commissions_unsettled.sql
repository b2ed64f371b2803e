-- Commission reports that wait for their execution, the newest first: each wording.
select exec_id, payload
from audit.commissions_waiting
where received_at >= {since:DateTime64(6, 'UTC')}
order by received_at desc, exec_id, payload
limit {most:UInt32}
