-- The fills as they stand whose winning revision lies in these sessions, in FIFO order: the rows of core.fills, by the same
-- rules, for few sessions of a long history. Only fills with some version in these sessions are looked at, and of all others
-- no more than their ids; the view would work out every fill and every fee of the account first. A test holds both equal.
with asked as (
    select distinct fill_id, trade_id, exec_id = '' and transaction_id = '' as is_unnumbered
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
        and kind != 'cancel'
),
numbered as (
    select trade_id
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and kind != 'cancel' and transaction_id != ''
        and trade_id in (select trade_id from asked where is_unnumbered and trade_id != '')
),
told as (
    select
        *,
        concat(leftPad(toString(revision), 10, '0'), toString(toInt8(source)), content_hash) as rank,
        toUInt64OrZero(transaction_id) as transaction_number
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and kind != 'cancel'
        and fill_id in (select fill_id from asked)
),
winners as (
    select
        r.venue as venue,
        r.account as account,
        r.fill_id as fill_id,
        argMax(r.revision, r.rank) as revision,
        argMax(r.source, r.rank) as source,
        argMax(r.kind, r.rank) as kind,
        argMax(r.instrument, r.rank) as instrument,
        argMax(tuple(r.conid), r.rank).1 as conid,
        argMax(r.side, r.rank) as side,
        argMax(r.quantity, r.rank) as quantity,
        argMax(r.price, r.rank) as price,
        argMax(r.multiplier, r.rank) as multiplier,
        argMax(r.currency, r.rank) as currency,
        argMax(r.fill_ts, r.rank) as fill_ts,
        argMax(r.trade_date, r.rank) as trade_date,
        argMax(tuple(r.report_date), r.rank).1 as report_date,
        argMax(r.session, r.rank) as session,
        argMax(r.exec_id, r.rank) as exec_id,
        argMax(r.order_id, r.rank) as order_id,
        argMax(r.order_ref, r.rank) as order_ref,
        argMax(r.perm_id, r.rank) as perm_id,
        argMax(r.trade_id, r.rank) as trade_id,
        argMax(r.transaction_id, r.rank) as transaction_id,
        argMax(r.cancels_trade_id, r.rank) as cancels_trade_id,
        argMax(r.action_id, r.rank) as action_id,
        argMax(r.exchange, r.rank) as exchange,
        argMax(r.description, r.rank) as description,
        argMax(r.liquidity, r.rank) as liquidity,
        argMax(r.open_close, r.rank) as open_close,
        argMax(r.notes, r.rank) as notes,
        argMax(tuple(r.strategy), r.rank).1 as strategy,
        argMax(tuple(r.signal_id), r.rank).1 as signal_id,
        argMax(r.provisional, r.rank) as provisional,
        argMax(tuple(r.broker_realized), r.rank).1 as broker_realized,
        argMax(tuple(r.broker_cost), r.rank).1 as broker_cost,
        argMax(tuple(r.broker_net_cash), r.rank).1 as broker_net_cash,
        argMax(tuple(r.fx_rate_to_base), r.rank).1 as fx_rate_to_base,
        argMax(r.raw, r.rank) as raw,
        argMax(r.transaction_number, r.rank) as winning_transaction,
        min(r.fill_ts) as fifo_ts,
        minIf(r.transaction_number, r.transaction_number > 0) as first_transaction
    from told as r
    where not (r.exec_id = '' and r.transaction_id = '' and r.trade_id in (select trade_id from numbered))
    group by r.venue, r.account, r.fill_id
    having session in {sessions:Array(Date)}
),
all_cancels as (
    select fill_id as cancel_id, cancels_trade_id, max(toUInt64OrZero(transaction_id)) as number
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and kind = 'cancel' and cancels_trade_id != ''
        and cancels_trade_id in (select trade_id from told)
    group by fill_id, cancels_trade_id
),
trades as (
    select cancels_trade_id, max(number) as last_number, count() as cancels
    from all_cancels
    group by cancels_trade_id
),
cancels as (
    select cancel_id, cancels_trade_id
    from all_cancels
    where number > 0 or cancels_trade_id in (select cancels_trade_id from trades where last_number = 0)
),
cancelled as (
    select
        trade_id,
        min(tuple(exec_id = '' and transaction_id = '', fill_id)).2 as fill_id, -- a numbered row before one without
        max(revision) as revision
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and kind != 'cancel'
        and trade_id in (select cancels_trade_id from all_cancels)
    group by trade_id
),
busts as (
    select
        t.cancels_trade_id as trade_id,
        if(t.last_number > 0, t.last_number, if(t.cancels >= greatest(f.revision, 1), 18446744073709551615, 0)) as cancelled_at
    from trades as t
    inner join cancelled as f on f.trade_id = t.cancels_trade_id
),
facts as (
    select
        f.commission_key as commission_key,
        argMax(f.fill_id, concat(toString(toInt8(f.source)), f.content_hash)) as fill_id,
        argMax(f.amount, concat(toString(toInt8(f.source)), f.content_hash)) as amount,
        argMax(f.currency, concat(toString(toInt8(f.source)), f.content_hash)) as currency
    from core.commission_facts as f
    where f.venue = {venue:String} and f.account = {account:String}
        and f.commission_key in (
            select commission_key
            from core.commission_facts
            where venue = {venue:String} and account = {account:String}
                and (fill_id in (select fill_id from asked) or fill_id in (select cancel_id from cancels))
        )
    group by f.commission_key
),
fees as (
    select
        if(c.fill_id = '', f.fill_id, c.fill_id) as fill_id,
        sumMap(map(toString(f.currency), f.amount)) as fees
    from facts as f
    left join (
        select cancels.cancel_id as cancel_id, cancelled.fill_id as fill_id
        from cancels
        inner join cancelled on cancelled.trade_id = cancels.cancels_trade_id
    ) as c on c.cancel_id = f.fill_id
    group by fill_id
)
select
    w.venue as venue,
    w.account as account,
    w.fill_id as fill_id,
    w.revision as revision,
    w.source as source,
    w.kind as kind,
    w.instrument as instrument,
    w.conid as conid,
    w.side as side,
    if(busted, toDecimal128(0, 12), w.quantity) as quantity,
    w.price as price,
    w.multiplier as multiplier,
    w.currency as currency,
    w.fill_ts as fill_ts,
    w.trade_date as trade_date,
    w.report_date as report_date,
    w.session as session,
    w.exec_id as exec_id,
    w.order_id as order_id,
    w.order_ref as order_ref,
    w.perm_id as perm_id,
    w.trade_id as trade_id,
    w.transaction_id as transaction_id,
    w.cancels_trade_id as cancels_trade_id,
    w.action_id as action_id,
    w.exchange as exchange,
    w.description as description,
    w.liquidity as liquidity,
    w.open_close as open_close,
    w.notes as notes,
    w.strategy as strategy,
    w.signal_id as signal_id,
    w.provisional as provisional,
    w.broker_realized as broker_realized,
    w.broker_cost as broker_cost,
    w.broker_net_cash as broker_net_cash,
    w.fx_rate_to_base as fx_rate_to_base,
    w.raw as raw,
    f.fees as fees,
    b.cancelled_at > w.winning_transaction as busted,
    w.fifo_ts as fifo_ts,
    concat(leftPad(toString(if(w.first_transaction = 0, 18446744073709551615, w.first_transaction)), 20, '0'), ':', w.fill_id) as fifo_key
from winners as w
left join busts as b on b.trade_id = w.trade_id and w.trade_id != ''
left join fees as f on f.fill_id = w.fill_id
order by fifo_ts, fifo_key
