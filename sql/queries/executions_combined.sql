-- Which of these executions were of a combination? Their legs are the fills.
select distinct exec_id
from audit.outbox_entries
where kind = 'message' and security_type = 'BAG' and exec_id in {exec_ids:Array(String)}
