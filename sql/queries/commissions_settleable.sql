-- Commission reports that waited for their execution, and whose execution is there now.
select w.stream as stream, w.exec_id as exec_id, w.payload as payload, f.account as account
from audit.commissions_waiting as w
inner join (
    select exec_id, min(account) as account
    from core.fill_revisions
    where venue = 'ibkr' and exec_id in (select exec_id from audit.commissions_waiting where received_at >= {since:DateTime64(6, 'UTC')})
    group by exec_id
) as f on f.exec_id = w.exec_id
where w.received_at >= {since:DateTime64(6, 'UTC')}
order by w.received_at, w.exec_id
limit {most:UInt32}
