-- When each execution that was heard live since a moment was heard first, and when it was a row. Combinations are no fills.
select e.exec_id as exec_id, min(e.heard_at) as heard_at, min(e.drained_at) as drained_at
from audit.outbox_entries as e
where e.kind = 'message' and e.message_type = '11' and e.security_type != 'BAG' and e.heard_at >= {since:DateTime64(6, 'UTC')}
group by exec_id
order by exec_id
