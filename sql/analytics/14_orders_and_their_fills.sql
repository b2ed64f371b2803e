-- What became of each order: how long it worked, how much of it was filled and at which price against its limit, as the
-- broker told it and as our fills say? A difference between both is a question for the live capture.
with told as (
    select account, order_ref, perm_id, instrument_id, side, order_type, quantity, limit_price, status, filled, average_price,
        first_heard_at, last_heard_at
    from core.orders_live
),
filled as (
    select
        o.account as account,
        o.perm_id as perm_id,
        sum(o.quantity) as quantity,
        sum(o.quantity * o.price) / sum(o.quantity) as average_price,
        count() as fills,
        sum(o.fee) as fees
    from core.fills as o
    where o.kind = 'trade' and o.perm_id != '' and o.quantity > 0
    group by o.account, o.perm_id
)
select
    t.account as account,
    t.order_ref as order_ref,
    t.perm_id as perm_id,
    t.instrument_id as instrument_id,
    t.side as side,
    t.order_type as order_type,
    t.quantity as quantity,
    t.limit_price as limit_price,
    t.status as status,
    t.filled as filled_by_broker,
    f.quantity as filled_by_fills,
    t.average_price as average_by_broker,
    round(f.average_price, 6) as average_by_fills,
    f.fills as fills,
    f.fees as fees,
    dateDiff('second', t.first_heard_at, t.last_heard_at) as known_for_seconds,
    t.filled != f.quantity as differs
from told as t
left join filled as f on f.account = t.account and f.perm_id = t.perm_id
order by differs desc, t.last_heard_at desc, t.perm_id
