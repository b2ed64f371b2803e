-- One booking is one fill, whoever told it: a row that the broker gave neither an execution id nor a number gives way to the
-- numbered row of the same trade.

-- Grain: one version of a fill that counts; cancels are not versions. A confirmation tells a booking (expiry, exercise,
-- assignment) by its trade id alone, the Activity statement later by its number too: by page rule two ids, by (account,
-- trade id) one booking. The numbered row is the truth, and the unnumbered one says the same again; until it is there, the
-- unnumbered one counts. Which rows are here says it, never their order of arrival.
create or replace view core.fill_versions as
with unnumbered as (
    select venue, account, trade_id
    from core.fill_revisions
    where exec_id = '' and transaction_id = '' and trade_id != '' and kind != 'cancel'
),
numbered as (
    select venue, account, trade_id
    from core.fill_revisions
    where transaction_id != '' and kind != 'cancel'
        and (venue, account, trade_id) in (select venue, account, trade_id from unnumbered)
)
select *
from core.fill_revisions
where kind != 'cancel'
    and not (
        exec_id = '' and transaction_id = '' and trade_id != ''
        and (venue, account, trade_id) in (select venue, account, trade_id from numbered)
    );

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
    from core.fill_versions
    where (venue, account, trade_id) in (select venue, account, cancels_trade_id from cancels)
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

-- Grain: one fill (venue, account, fill_id), unique by construction: the highest revision, then the best source, then the
-- greatest content hash, never the order of arrival. A cancel newer than the fill makes it a bust of quantity zero; fees
-- are summed over all keys of the fill and of its cancels. argMax leaves out nulls, hence the tuples
-- of one; the rank is text that sorts as its parts do: it compares three times as fast as a tuple.
create or replace view core.fills as
with told as (
    select
        *,
        concat(leftPad(toString(revision), 10, '0'), toString(toInt8(source)), content_hash) as rank,
        toUInt64OrZero(transaction_id) as transaction_number
    from core.fill_versions
),
winners as (
    select
        r.venue as venue,
        r.account as account,
        r.fill_id as fill_id,
        argMax(r.revision, r.rank) as revision,
        argMax(r.source, r.rank) as source,
        argMax(r.content_hash, r.rank) as content_hash,
        argMax(r.kind, r.rank) as kind,
        argMax(r.instrument_id, r.rank) as instrument_id,
        argMax(r.instrument, r.rank) as instrument,
        argMax(tuple(r.conid), r.rank).1 as conid,
        argMax(r.asset_class, r.rank) as asset_class,
        argMax(r.symbol, r.rank) as symbol,
        argMax(r.underlying, r.rank) as underlying,
        argMax(tuple(r.expiry), r.rank).1 as expiry,
        argMax(tuple(r.strike), r.rank).1 as strike,
        argMax(r.option_right, r.rank) as option_right,
        argMax(r.multiplier, r.rank) as multiplier,
        argMax(r.exchange, r.rank) as exchange,
        argMax(r.side, r.rank) as side,
        argMax(r.quantity, r.rank) as quantity,
        argMax(r.price, r.rank) as price,
        argMax(r.notional, r.rank) as notional,
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
        argMax(r.batch_id, r.rank) as batch_id,
        argMax(r.received_at, r.rank) as received_at,
        argMax(r.ingested_at, r.rank) as ingested_at,
        argMax(r.transaction_number, r.rank) as winning_transaction,
        min(r.fill_ts) as fifo_ts,
        minIf(r.transaction_number, r.transaction_number > 0) as first_transaction,
        uniqExact(r.revision, r.source, r.content_hash) as versions
    from told as r
    group by r.venue, r.account, r.fill_id
),
busts as (
    select venue, account, cancels_trade_id as trade_id, max(cancelled_at) as cancelled_at
    from core.trade_cancels
    group by venue, account, cancels_trade_id
),
fee_sums as (
    select
        c.venue as venue,
        c.account as account,
        if(t.fill_id = '', c.fill_id, t.fill_id) as fill_id,
        toString(c.currency) as currency,
        sum(c.amount) as amount
    from core.commissions as c
    left join core.trade_cancels as t on t.venue = c.venue and t.account = c.account and t.cancel_id = c.fill_id
    group by venue, account, fill_id, currency
),
fees as (
    select
        s.venue as venue,
        s.account as account,
        s.fill_id as fill_id,
        cast(arraySort(groupArray(tuple(s.currency, s.amount))), 'Map(String, Decimal(38, 9))') as fees
    from fee_sums as s
    group by s.venue, s.account, s.fill_id
)
select
    w.venue as venue,
    w.account as account,
    w.fill_id as fill_id,
    b.cancelled_at > w.winning_transaction as busted,
    w.revision as revision,
    w.source as source,
    w.content_hash as content_hash,
    w.kind as kind,
    w.instrument_id as instrument_id,
    w.instrument as instrument,
    w.conid as conid,
    w.asset_class as asset_class,
    w.symbol as symbol,
    w.underlying as underlying,
    w.expiry as expiry,
    w.strike as strike,
    w.option_right as option_right,
    w.multiplier as multiplier,
    w.exchange as exchange,
    w.side as side,
    if(busted, toDecimal128(0, 12), w.quantity) as quantity,
    w.price as price,
    if(busted, toDecimal128(0, 9), w.notional) as notional,
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
    w.batch_id as batch_id,
    w.received_at as received_at,
    w.ingested_at as ingested_at,
    f.fees as fees,
    f.fees[toString(w.currency)] as fee,
    w.fifo_ts as fifo_ts,
    -- Without a number from the broker a fill comes after those that have one.
    concat(leftPad(toString(if(w.first_transaction = 0, 18446744073709551615, w.first_transaction)), 20, '0'), ':', w.fill_id) as fifo_key,
    w.versions as versions
from winners as w
left join busts as b on b.venue = w.venue and b.account = w.account and b.trade_id = w.trade_id and w.trade_id != ''
left join fees as f on f.venue = w.venue and f.account = w.account and f.fill_id = w.fill_id;
