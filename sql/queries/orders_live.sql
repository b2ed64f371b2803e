-- Orders as they were last told, newest first; only working ones where that is asked, all accounts where none is named.
select *
from core.orders_live
where (account in {accounts:Array(String)} or empty({accounts:Array(String)})) and (is_working or not {working_only:Bool})
order by last_heard_at desc, account, order_ref, perm_id
limit {most:UInt32}
