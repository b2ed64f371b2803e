-- Orders as they were last told since a moment, newest first; only working ones where that is asked, all accounts where none
-- is named. As core.orders_live, bounded before the newest word is picked: the key leads to what was told since.
with states as (
    select
        account, order_ref, perm_id,
        argMax(tuple(line, broker_at), (entry_ms, entry_seq, place)) as last,
        min(heard_at) as first_heard_at,
        max(heard_at) as last_heard_at
    from core.order_lines
    where heard_at >= {since:DateTime64(6, 'UTC')} and entry_ms >= toUnixTimestamp64Milli({since:DateTime64(6, 'UTC')})
    group by account, order_ref, perm_id
),
numbered as (
    select distinct account, order_ref
    from states
    where perm_id != '' and order_ref != ''
)
select
    account, order_ref, perm_id, last.1 as line, last.2 as broker_at, first_heard_at, last_heard_at,
    JSONExtractString(line, 'status') in {working:Array(String)} as is_working
from states
where (perm_id != '' or (account, order_ref) not in (select account, order_ref from numbered))
    and (account in {accounts:Array(String)} or empty({accounts:Array(String)})) and (is_working or not {working_only:Bool})
order by last_heard_at desc, account, order_ref, perm_id
limit {most:UInt32}
