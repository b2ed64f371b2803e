-- core.fills says what it said, for a fraction of the cost: 0630 expanded the cancels twice, and each of their parts again, so
-- that a question was planned for a tenth of a second before it read a row, and read all of history. What a row says by
-- itself (its rank, its trade) is a column now; the winner is picked among ranks alone, and its row is fetched by a join, so
-- that venue, account, fill_id and session of a question reach the key, and a narrow one reads few columns of few rows.

-- Each is a function of its own row, so none can miss what a kill leaves (decisions/0006).
alter table core.fill_revisions
    add column if not exists version_rank String materialized concat(leftPad(toString(revision), 10, '0'), toString(toInt8(source)), content_hash)
        comment 'Revision, source, content hash as text that sorts as its parts do: the highest of a fill stands.',
    add column if not exists told_trade_id String materialized if(kind = 'cancel', cancels_trade_id, trade_id)
        comment 'The trade that the row is about: its own, or the one that it takes back.',
    add column if not exists tied_trade_id String materialized multiIf(kind = 'cancel', cancels_trade_id, exec_id = '' and transaction_id = '', trade_id, '')
        comment 'The same of a cancel, and of a booking without execution id and number; empty of every other row.',
    add index if not exists by_told_trade_id told_trade_id type bloom_filter(0.01) granularity 1,
    add index if not exists by_tied_trade_id tied_trade_id type minmax granularity 1;

alter table core.fill_revisions
    materialize column version_rank,
    materialize column told_trade_id,
    materialize column tied_trade_id,
    materialize index by_told_trade_id,
    materialize index by_tied_trade_id;

-- Grain: one fill (venue, account, fill_id), unique by construction: the highest revision, then the best source, then the
-- greatest content hash, never the order of arrival. A cancel newer than the fill makes it a bust of quantity zero; fees
-- are summed over all keys of the fill and of its cancels. Cancels, and bookings that are told with and without their
-- number, count as core.trade_cancels and core.fill_versions say, fees as core.commissions says.
-- The order of the joins is the point: what is asked of a row's own columns (v) is asked first, and the ids that are left
-- filter ranks and fees as they are read (the engine's runtime filters). Of physical repeats the join takes any.
create or replace view core.fills as
with trades_told as (
    -- All that is said of the trades that a cancel or a booking without its number names: few, and an index leads to them.
    select
        r.venue as venue,
        r.account as account,
        r.told_trade_id as trade_id,
        maxIf(r.transaction_id, r.kind != 'cancel') != '' as is_numbered,
        maxIf(toUInt64OrZero(r.transaction_id), r.kind = 'cancel') as last_number,
        uniqExactIf(r.fill_id, r.kind = 'cancel') as cancels,
        groupUniqArrayIf((r.fill_id, toUInt64OrZero(r.transaction_id) > 0), r.kind = 'cancel') as cancels_told,
        minIf(r.fill_id, r.kind != 'cancel') as first_told,
        minIf(r.fill_id, r.kind != 'cancel' and r.tied_trade_id = '') as first_known,
        maxIf(r.revision, r.kind != 'cancel') as highest_told,
        maxIf(r.revision, r.kind != 'cancel' and r.tied_trade_id = '') as highest_known
    from core.fill_revisions as r
    where (r.venue, r.account, r.told_trade_id) in (select venue, account, tied_trade_id from core.fill_revisions where tied_trade_id != '')
    group by r.venue, r.account, r.told_trade_id
),
trades as (
    select
        t.venue as venue,
        t.account as account,
        t.trade_id as trade_id,
        t.is_numbered as is_numbered,
        if(t.is_numbered, t.first_known, t.first_told) as fill_id,
        if(t.is_numbered, t.highest_known, t.highest_told) as revision,
        arrayFilter(told -> told.2 or t.last_number = 0, t.cancels_told).1 as cancel_ids,
        if(t.last_number > 0, t.last_number, if(t.cancels >= greatest(revision, 1), 18446744073709551615, 0)) as cancelled_at
    from trades_told as t
),
winners as (
    select
        r.venue as venue,
        r.account as account,
        r.fill_id as fill_id,
        max(r.version_rank) as version_rank,
        argMax(t.cancelled_at, r.version_rank) as cancelled_at,
        min(r.fill_ts) as fifo_ts,
        minIf(toUInt64OrZero(r.transaction_id), toUInt64OrZero(r.transaction_id) > 0) as first_transaction,
        uniqExact(r.version_rank) as versions
    from core.fill_revisions as r
    left join trades as t on t.venue = r.venue and t.account = r.account and t.trade_id = r.trade_id
    where r.kind != 'cancel' and not (r.tied_trade_id != '' and t.is_numbered)
    group by r.venue, r.account, r.fill_id
),
best as (
    select venue, account, commission_key, max(concat(toString(toInt8(source)), content_hash)) as version_rank
    from core.commission_facts
    group by venue, account, commission_key
),
commissions as (
    select c.venue as venue, c.account as account, c.fill_id as fill_id, toString(c.currency) as currency, c.amount as amount
    from best as b
    any inner join core.commission_facts as c on c.venue = b.venue and c.account = b.account and c.commission_key = b.commission_key
        and concat(toString(toInt8(c.source)), c.content_hash) = b.version_rank
),
cancelling as (
    select venue, account, fill_id
    from core.fill_revisions
    where kind = 'cancel' and tied_trade_id != ''
),
fee_rows as (
    -- Of fills first: their id reaches the facts. The few fees of cancels go to the fill that is cancelled.
    select venue, account, fill_id, currency, amount
    from commissions
    where (venue, account, fill_id) not in (select venue, account, fill_id from cancelling)
    union all
    select c.venue, c.account, if(t.fill_id = '', c.fill_id, t.fill_id), c.currency, c.amount
    from commissions as c
    left join (select venue, account, fill_id, arrayJoin(cancel_ids) as cancel_id from trades) as t
        on t.venue = c.venue and t.account = c.account and t.cancel_id = c.fill_id
    where (c.venue, c.account, c.fill_id) in (select venue, account, fill_id from cancelling)
),
fees as (
    select venue, account, fill_id, sumMap(map(currency, amount)) as fees
    from fee_rows
    group by venue, account, fill_id
)
select
    v.venue as venue,
    v.account as account,
    v.fill_id as fill_id,
    w.cancelled_at > toUInt64OrZero(v.transaction_id) as busted,
    v.revision as revision,
    v.source as source,
    v.content_hash as content_hash,
    cast(v.kind, 'String') as kind,
    v.instrument_id as instrument_id,
    cast(v.instrument, 'String') as instrument,
    v.conid as conid,
    cast(v.asset_class, 'String') as asset_class,
    cast(v.symbol, 'String') as symbol,
    cast(v.underlying, 'String') as underlying,
    v.expiry as expiry,
    v.strike as strike,
    cast(v.option_right, 'String') as option_right,
    v.multiplier as multiplier,
    cast(v.exchange, 'String') as exchange,
    cast(v.side, 'String') as side,
    if(busted, toDecimal128(0, 12), v.quantity) as quantity,
    v.price as price,
    if(busted, toDecimal128(0, 9), v.notional) as notional,
    cast(v.currency, 'String') as currency,
    v.fill_ts as fill_ts,
    v.trade_date as trade_date,
    v.report_date as report_date,
    v.session as session,
    v.exec_id as exec_id,
    v.order_id as order_id,
    v.order_ref as order_ref,
    v.perm_id as perm_id,
    v.trade_id as trade_id,
    v.transaction_id as transaction_id,
    v.cancels_trade_id as cancels_trade_id,
    v.action_id as action_id,
    v.description as description,
    cast(v.liquidity, 'String') as liquidity,
    cast(v.open_close, 'String') as open_close,
    cast(v.notes, 'Array(String)') as notes,
    v.strategy as strategy,
    v.signal_id as signal_id,
    v.provisional as provisional,
    v.broker_realized as broker_realized,
    v.broker_cost as broker_cost,
    v.broker_net_cash as broker_net_cash,
    v.fx_rate_to_base as fx_rate_to_base,
    v.raw as raw,
    v.batch_id as batch_id,
    v.received_at as received_at,
    v.ingested_at as ingested_at,
    f.fees as fees,
    f.fees[toString(v.currency)] as fee,
    w.fifo_ts as fifo_ts,
    -- Without a number from the broker a fill comes after those that have one.
    concat(leftPad(toString(if(w.first_transaction = 0, 18446744073709551615, w.first_transaction)), 20, '0'), ':', v.fill_id) as fifo_key,
    w.versions as versions
from winners as w
left join fees as f on f.venue = w.venue and f.account = w.account and f.fill_id = w.fill_id
any inner join core.fill_revisions as v
    on v.venue = w.venue and v.account = w.account and v.fill_id = w.fill_id and v.version_rank = w.version_rank
settings join_algorithm = 'hash'; -- the parallel one begins with threads and 16 MB for each question
