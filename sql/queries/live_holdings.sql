-- What we hold by contract: the lots of the base books and the fills of the sessions since, as they stand. Reads these
-- sessions of the fills and one run of the books, never history. Conversions are cash. A cancel counts as in core.fills.
with lots as (
    select
        v.instrument_id as instrument_id,
        max(v.conid) as conid,
        max(v.symbol) as symbol,
        max(v.underlying) as underlying,
        max(v.currency) as currency,
        max(v.multiplier) as multiplier,
        sum(v.quantity) as quantity,
        sumIf(v.quantity, v.origin = 'missing_history') as missing
    from core.lot_versions as v final
    where v.venue = {venue:String} and v.account = {account:String} and v.session = {base:Date}
        and v.run_id = {run_id:String} and v.asset_class != 'currency'
    group by v.instrument_id
),
figures as (
    select
        v.instrument_id as instrument_id,
        max(v.currency) as currency,
        max(v.mark_price) as mark,
        max(v.fx_rate_to_base) as rate
    from core.pnl_daily_versions as v final
    where v.venue = {venue:String} and v.account = {account:String} and v.session = {base:Date}
        and v.run_id = {run_id:String}
    group by v.instrument_id
),
rates as (
    select f.currency as currency, max(f.rate) as rate
    from figures as f
    group by f.currency
),
told as (
    select
        fill_id, revision, source, content_hash, kind, instrument_id, conid, symbol, underlying, currency, multiplier,
        side, quantity, price, fill_ts, exec_id, trade_id, transaction_id, cancels_trade_id, received_at,
        if(side = 'BUY', quantity, -quantity) as signed,
        concat(leftPad(toString(revision), 10, '0'), toString(toInt8(source)), content_hash) as rank
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and session > {base:Date} and asset_class != 'currency'
),
numbered as (
    select distinct trade_id
    from told
    where transaction_id != '' and kind != 'cancel' and trade_id != ''
),
winners as (
    select
        t.fill_id as fill_id,
        argMax(t.instrument_id, t.rank) as instrument_id,
        argMax(tuple(t.conid), t.rank).1 as conid,
        argMax(t.symbol, t.rank) as symbol,
        argMax(t.underlying, t.rank) as underlying,
        argMax(t.currency, t.rank) as currency,
        argMax(t.multiplier, t.rank) as multiplier,
        argMax(t.signed, t.rank) as signed,
        argMax(t.price, t.rank) as price,
        argMax(t.kind, t.rank) as kind,
        argMax(t.fill_ts, t.rank) as fill_ts,
        argMax(t.trade_id, t.rank) as trade_id,
        argMax(toUInt64OrZero(t.transaction_id), t.rank) as number,
        max(t.revision) as revision
    from told as t
    where t.kind != 'cancel'
        and not (t.exec_id = '' and t.transaction_id = '' and t.trade_id in (select trade_id from numbered))
    group by t.fill_id
),
cancels as (
    select
        t.cancels_trade_id as trade_id,
        max(toUInt64OrZero(t.transaction_id)) as number,
        uniqExact(t.fill_id) as cancels
    from told as t
    where t.kind = 'cancel' and t.cancels_trade_id != ''
    group by t.cancels_trade_id
),
traded as (
    select
        w.instrument_id as instrument_id,
        max(w.conid) as conid,
        max(w.symbol) as symbol,
        max(w.underlying) as underlying,
        max(w.currency) as currency,
        max(w.multiplier) as multiplier,
        sum(if(if(c.number > 0, c.number > w.number, c.cancels >= greatest(w.revision, 1)), 0, w.signed)) as quantity,
        argMaxIf(tuple(w.price), w.fill_ts, w.kind = 'trade').1 as last_price
    from winners as w
    left join cancels as c on c.trade_id = w.trade_id and w.trade_id != ''
    group by w.instrument_id
),
changes as (
    select instrument_id, max(first_told) as changed_at
    from
    (
        select instrument_id, min(received_at) as first_told
        from told
        group by instrument_id, fill_id, revision, kind, signed -- a version that says the same is no change
    )
    group by instrument_id
),
both as (
    select instrument_id, conid, symbol, underlying, currency, multiplier, quantity, missing, false as is_traded
    from lots
    union all
    select instrument_id, conid, symbol, underlying, currency, multiplier, quantity, 0 as missing, true as is_traded
    from traded
)
select
    b.instrument_id as instrument_id,
    max(b.conid) as conid,
    max(b.symbol) as symbol,
    max(b.underlying) as underlying,
    max(b.currency) as currency,
    max(b.multiplier) as multiplier,
    sum(b.quantity) as quantity,
    sum(b.missing) as missing,
    coalesce(nullIf(any(t.last_price), 0), any(f.mark)) as mark,
    if(max(b.currency) = {base_currency:String}, toDecimal128(1, 12), any(r.rate)) as rate_to_base,
    nullIf(any(c.changed_at), toDateTime64(0, 6, 'UTC')) as changed_at
from both as b
left join traded as t on t.instrument_id = b.instrument_id
left join figures as f on f.instrument_id = b.instrument_id
left join rates as r on r.currency = b.currency
left join changes as c on c.instrument_id = b.instrument_id
group by b.instrument_id
order by b.instrument_id
