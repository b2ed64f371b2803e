-- What we hold by contract: the lots of the base books and the fills of the sessions since, as they stand. Reads these
-- sessions of the fills and one run of the books, each once, never history. Conversions are cash. A fill stands and is
-- cancelled as in core.fills. changed_at is when we were last told a version that says another quantity. One thread: asked often, of few rows.
with told as (
    select
        fill_id, revision, kind, instrument_id, conid, symbol, underlying, currency, multiplier, price, fill_ts, received_at,
        exec_id, transaction_id, toUInt64OrZero(transaction_id) as number,
        if(side = 'BUY', quantity, -quantity) as signed,
        concat(leftPad(toString(revision), 10, '0'), toString(toInt8(source)), content_hash) as rank,
        if(kind = 'cancel', cancels_trade_id, trade_id) as trade,
        max(kind != 'cancel' and transaction_id != '') over (partition by trade) as trade_is_numbered,
        max(if(kind = 'cancel', number, 0)) over (partition by trade) as cancel_number,
        uniqExactIf(fill_id, kind = 'cancel') over (partition by trade) as trade_cancels
    from core.fill_revisions
    where venue = {venue:String} and account = {account:String} and session > {base:Date} and asset_class != 'currency'
),
fills as (
    select
        t.fill_id as fill_id,
        argMax(tuple(t.instrument_id, t.conid, t.symbol, t.underlying, t.currency, t.multiplier, t.signed, t.price, t.kind,
            t.fill_ts, t.number, t.trade), t.rank) as last,
        max(t.revision) as revision,
        max(t.cancel_number) as cancel_number,
        max(t.trade_cancels) as trade_cancels,
        -- A version that says the quantity again is no change; a cancel is told beside the trade and counts by its own row.
        arrayMax(minMap([concat(toString(t.revision), ' ', toString(t.signed))], [t.received_at]).2) as changed_at
    from told as t
    where t.kind != 'cancel'
        and not (t.exec_id = '' and t.transaction_id = '' and t.trade != '' and t.trade_is_numbered)
    group by t.fill_id
),
known as (
    select
        v.instrument_id as instrument_id, v.conid as conid, v.symbol as symbol, v.underlying as underlying,
        v.currency as currency, v.multiplier as multiplier, v.quantity as quantity,
        if(v.origin = 'missing_history', v.quantity, toDecimal128(0, 12)) as missing,
        cast(null, 'Nullable(Decimal(38, 12))') as mark, cast(null, 'Nullable(Decimal(38, 12))') as rate,
        toDateTime64(0, 6, 'UTC') as priced_at, toDateTime64(0, 6, 'UTC') as changed_at, true as is_held
    from core.lot_versions as v final
    where v.venue = {venue:String} and v.account = {account:String} and v.session = {base:Date}
        and v.run_id = {run_id:String} and v.asset_class != 'currency'
    union all
    select
        v.instrument_id, v.conid, v.symbol, v.underlying, v.currency, toDecimal128(0, 12), toDecimal128(0, 12),
        toDecimal128(0, 12), v.mark_price, v.fx_rate_to_base, toDateTime64(1, 6, 'UTC'), toDateTime64(0, 6, 'UTC'), false
    from core.pnl_daily_versions as v final
    where v.venue = {venue:String} and v.account = {account:String} and v.session = {base:Date}
        and v.run_id = {run_id:String}
    union all
    select
        f.last.1, f.last.2, f.last.3, f.last.4, f.last.5, f.last.6,
        if(f.last.12 != '' and if(f.cancel_number > 0, f.cancel_number > f.last.11,
            f.trade_cancels > 0 and f.trade_cancels >= greatest(f.revision, 1)), toDecimal128(0, 12), f.last.7),
        toDecimal128(0, 12), if(f.last.9 = 'trade', f.last.8, null), null, f.last.10, f.changed_at, true
    from fills as f
    union all
    select
        t.instrument_id, t.conid, t.symbol, t.underlying, t.currency, t.multiplier, toDecimal128(0, 12),
        toDecimal128(0, 12), null, null, toDateTime64(0, 6, 'UTC'), t.received_at, false
    from told as t
    where t.kind = 'cancel'
),
positions as (
    select
        k.instrument_id as instrument_id,
        max(k.conid) as conid,
        max(k.symbol) as symbol,
        max(k.underlying) as underlying,
        max(k.currency) as currency,
        max(k.multiplier) as multiplier,
        sum(k.quantity) as quantity,
        sum(k.missing) as missing,
        argMaxIf(k.mark, k.priced_at, k.mark is not null) as mark,
        max(k.rate) as rate,
        max(k.changed_at) as changed,
        max(k.is_held) as is_held
    from known as k
    group by k.instrument_id
)
select
    p.instrument_id as instrument_id, p.conid as conid, p.symbol as symbol, p.underlying as underlying,
    p.currency as currency, p.multiplier as multiplier, p.quantity as quantity, p.missing as missing, p.mark as mark,
    if(p.currency = {base_currency:String}, toDecimal128(1, 12), max(p.rate) over (partition by p.currency)) as rate_to_base,
    nullIf(p.changed, toDateTime64(0, 6, 'UTC')) as changed_at
from positions as p
qualify p.is_held
order by p.instrument_id
settings max_threads = 1
