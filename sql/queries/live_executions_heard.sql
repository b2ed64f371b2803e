-- When each execution that was heard live since a moment was heard first, and when it was a row. Combinations are no fills.
select exec_id, min(heard_at) as heard_at, min(drained_at) as drained_at
from audit.outbox_entries
where kind = 'message' and message_type = '11' and security_type != 'BAG' and heard_at >= {since:DateTime64(6, 'UTC')}
group by exec_id
order by exec_id
