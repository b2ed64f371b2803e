-- When each execution that was heard live since a moment was heard first, when it was a row, and when its fill was one: null
-- where that was there before, as of a session that is played again. Combinations are no fills.
select e.exec_id as exec_id, min(e.heard_at) as heard_at, min(e.drained_at) as drained_at, min(f.first_at) as filled_at
from audit.outbox_entries as e
left join (
    select exec_id, toNullable(min(ingested_at)) as first_at
    from core.fill_revisions
    where venue = 'ibkr' and ingested_at >= {since:DateTime64(6, 'UTC')}
    group by exec_id
) as f on f.exec_id = e.exec_id
where e.kind = 'message' and e.message_type = '11' and e.security_type != 'BAG' and e.heard_at >= {since:DateTime64(6, 'UTC')}
group by exec_id
order by exec_id
