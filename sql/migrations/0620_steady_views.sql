-- Views that say the same whichever row they meet first, and cancels that carry no number of the broker's.

-- Grain: one cancel of a trade, the newest told, with the fill that it cancels (blank where that fill is not known).
-- Confirmations number no rows. Where the statement has told the trade's cancels with their numbers, it is the truth and
-- the unnumbered ones say the same again. Until then they count: a trade of revision n is a bust by its n-th cancel.
create or replace view core.trade_cancels as
with cancels as (
    select venue, account, fill_id as cancel_id, cancels_trade_id, max(toUInt64OrZero(transaction_id)) as number
    from core.fill_revisions
    where kind = 'cancel' and cancels_trade_id != ''
    group by venue, account, fill_id, cancels_trade_id
),
trades as (
    select venue, account, cancels_trade_id, max(number) as last_number, count() as cancels
    from cancels
    group by venue, account, cancels_trade_id
),
cancelled as (
    select venue, account, trade_id, min(fill_id) as fill_id, max(revision) as revision
    from core.fill_revisions
    where kind != 'cancel' and (venue, account, trade_id) in (select venue, account, cancels_trade_id from cancels)
    group by venue, account, trade_id
)
select
    c.venue as venue,
    c.account as account,
    c.cancel_id as cancel_id,
    c.cancels_trade_id as cancels_trade_id,
    if(t.last_number > 0, c.number, if(t.cancels >= greatest(f.revision, 1), 18446744073709551615, 0)) as cancelled_at,
    f.fill_id as fill_id
from cancels as c
inner join trades as t on t.venue = c.venue and t.account = c.account and t.cancels_trade_id = c.cancels_trade_id
left join cancelled as f on f.venue = c.venue and f.account = c.account and f.trade_id = c.cancels_trade_id
where c.number > 0 or t.last_number = 0;

-- Grain: one order (venue, account, order_id) as its fills show it; fills without an order id (bookings) have no order.
create or replace view core.orders as
select
    f.venue as venue,
    f.account as account,
    f.order_id as order_id,
    max(f.order_ref) as order_ref,
    max(f.perm_id) as perm_id,
    min(f.session) as session,
    arraySort(groupUniqArray(f.instrument_id)) as instrument_ids,
    uniqExact(f.instrument_id) > 1 as is_combination,
    if(uniqExact(f.side) = 1, max(toString(f.side)), 'MIXED') as side,
    sum(f.quantity) as quantity,
    sum(f.notional) as notional,
    sumMap(f.fees) as fees,
    count() as fills,
    min(f.fill_ts) as first_fill_at,
    max(f.fill_ts) as last_fill_at
from core.fills as f
where f.order_id != '' and f.kind = 'trade'
group by f.venue, f.account, f.order_id;

-- Grain: our position per contract at the end of each computed session; a closed position has no row.
create or replace view core.positions_eod as
select
    venue, account, session, instrument_id, max(conid) as conid, max(symbol) as symbol, max(underlying) as underlying,
    max(asset_class) as asset_class, max(currency) as currency, max(multiplier) as multiplier,
    sum(lots.quantity) as quantity, sum(lots.cost) as cost, sum(lots.fee) as fee, count() as open_lots,
    min(open_session) as first_open_session, max(run_id) as run_id
from core.lots as lots
group by venue, account, session, instrument_id;
