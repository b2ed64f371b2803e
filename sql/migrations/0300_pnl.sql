-- P&L: immutable results and one pointer to the results that count.
-- A run is one session of one account; its id is the hash of its inputs and of the run before it. Results are written
-- first, the pointer last: a kill in between leaves rows that no view shows. The same inputs give the same id.

-- Grain: one session of one account; the newest version is the pointer. An empty run_id takes a session back
-- (all its fills moved to another session). cash, pending and base_currency are what the next session starts from.
create table if not exists core.pnl_runs
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    run_id String,
    previous_run_id String,
    inputs_hash String,
    settings_hash String,
    fills UInt32,
    base_currency LowCardinality(String),
    cash Map(String, Decimal(38, 9)),
    pending String,
    version UInt64,
    computed_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree(version)
order by (venue, account, session)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.current_pnl_runs as
select
    venue, account, session, run_id, previous_run_id, inputs_hash, settings_hash, fills, base_currency, cash, pending,
    version, computed_at
from core.pnl_runs final
where run_id != '';

-- Grain: one open lot at the end of one session in one run. Opened figures stay as they were on the day of opening; what
-- is left of them follows from the quantity. Order: a session's book is read whole, by account.
create table if not exists core.lot_versions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    run_id String,
    lot_id String,
    place UInt32,
    instrument_id String,
    conid Nullable(Int64),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    asset_class LowCardinality(String),
    strategy LowCardinality(String),
    currency LowCardinality(String),
    direction LowCardinality(String),
    quantity Decimal(38, 12),
    quantity_opened Decimal(38, 12),
    multiplier Decimal(38, 12),
    inverse Bool,
    open_price Decimal(38, 12),
    value_opened Decimal(38, 9),
    fee_opened Decimal(38, 9),
    cost Decimal(38, 9),
    fee Decimal(38, 9),
    premium_opened Decimal(38, 9),
    premium Decimal(38, 9),
    origin LowCardinality(String),
    open_fill_id String,
    open_ts DateTime64(6, 'UTC'),
    open_session Date,
    computed_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (venue, account, session, run_id, instrument_id, lot_id)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.lots as
select
    venue, account, session, lot_id, place, instrument_id, conid, symbol, underlying, asset_class, strategy, currency,
    direction, quantity, quantity_opened, multiplier, inverse, open_price, value_opened, fee_opened, cost, fee,
    premium_opened, premium, origin, open_fill_id, open_ts, open_session, run_id, computed_at
from core.lot_versions final
where (venue, account, session, run_id) in (select venue, account, session, run_id from core.current_pnl_runs);

-- Grain: one part of an opening closed by one fill. realized is net of both fees; an exercise, assignment or delivery
-- realizes nothing on the option: premium_moved says what went into the basis of the shares (positive was paid).
create table if not exists core.lot_match_versions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    run_id String,
    match_id String,
    instrument_id String,
    conid Nullable(Int64),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    asset_class LowCardinality(String),
    strategy LowCardinality(String),
    currency LowCardinality(String),
    direction LowCardinality(String),
    kind LowCardinality(String),
    open_fill_id String,
    close_fill_id String,
    open_ts DateTime64(6, 'UTC'),
    close_ts DateTime64(6, 'UTC'),
    open_session Date,
    quantity Decimal(38, 12),
    multiplier Decimal(38, 12),
    open_price Decimal(38, 12),
    close_price Decimal(38, 12),
    open_fee Decimal(38, 9),
    close_fee Decimal(38, 9),
    gross_realized Decimal(38, 9),
    realized Decimal(38, 9),
    premium_moved Decimal(38, 9),
    computed_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (venue, account, session, run_id, match_id)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.lot_matches as
select
    match_id, venue, account, session, instrument_id, conid, symbol, underlying, asset_class, strategy, currency,
    direction, kind, open_fill_id, close_fill_id, open_ts, close_ts, open_session, quantity, multiplier, open_price,
    close_price, open_fee, close_fee, gross_realized, realized, premium_moved, run_id, computed_at
from core.lot_match_versions final
where (venue, account, session, run_id) in (select venue, account, session, run_id from core.current_pnl_runs);

-- Grain: session, instrument, strategy (of the opening lot). A row exists where something was traded, closed or is held.
create table if not exists core.pnl_daily_versions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    run_id String,
    instrument_id String,
    strategy LowCardinality(String),
    conid Nullable(Int64),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    asset_class LowCardinality(String),
    currency LowCardinality(String),
    quantity_bought Decimal(38, 12),
    quantity_sold Decimal(38, 12),
    position_end Decimal(38, 12),
    gross_realized Decimal(38, 9),
    fees Decimal(38, 9),
    realized Decimal(38, 9),
    unrealized Nullable(Decimal(38, 9)),
    mark_price Nullable(Decimal(38, 12)),
    fx_rate_to_base Nullable(Decimal(38, 12)),
    realized_base Nullable(Decimal(38, 9)),
    computed_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (venue, account, session, run_id, instrument_id, strategy)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.pnl_daily as
select
    venue, account, session, instrument_id, strategy, conid, symbol, underlying, asset_class, currency, quantity_bought,
    quantity_sold, position_end, gross_realized, fees, realized, unrealized, mark_price, fx_rate_to_base, realized_base,
    run_id, computed_at
from core.pnl_daily_versions final
where (venue, account, session, run_id) in (select venue, account, session, run_id from core.current_pnl_runs);

-- Grain: one entry of cash; balance is the running balance of its currency after the entry (from the account's opening
-- balance where a statement tells it, else from zero).
create table if not exists core.cash_ledger_versions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    run_id String,
    currency LowCardinality(String),
    place UInt32,
    entry_id String,
    kind LowCardinality(String),
    amount Decimal(38, 9),
    balance Decimal(38, 9),
    instrument_id String,
    fill_id String,
    description String,
    computed_at DateTime64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (venue, account, session, run_id, currency, place, entry_id)
settings non_replicated_deduplication_window = 1000;

create view if not exists core.cash_ledger as
select
    venue, account, session, currency, place, entry_id, kind, amount, balance, instrument_id, fill_id, description,
    run_id, computed_at
from core.cash_ledger_versions final
where (venue, account, session, run_id) in (select venue, account, session, run_id from core.current_pnl_runs);

-- Grain: our position per contract at the end of each computed session; a closed position has no row.
create view if not exists core.positions_eod as
select
    venue, account, session, instrument_id, any(conid) as conid, any(symbol) as symbol, any(underlying) as underlying,
    any(asset_class) as asset_class, any(currency) as currency, any(multiplier) as multiplier,
    sum(lots.quantity) as quantity, sum(lots.cost) as cost, sum(lots.fee) as fee, count() as open_lots,
    min(open_session) as first_open_session, any(run_id) as run_id
from core.lots as lots
group by venue, account, session, instrument_id;

-- Grain: our position per contract now, which is after the last computed session of its account.
create view if not exists core.positions as
select
    venue, account, session, instrument_id, conid, symbol, underlying, asset_class, currency, multiplier, quantity, cost,
    fee, open_lots, first_open_session, run_id
from core.positions_eod
where (venue, account, session) in
    (select venue, account, max(session) from core.current_pnl_runs group by venue, account);
