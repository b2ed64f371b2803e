-- The broker's statements as they were told, and views that pick what counts: the statement that the broker made last,
-- never the one that came last. Rows are written first and core.broker_statements last: a kill leaves nothing visible.

-- Grain: one account's statement out of one file. Order: asked by account, then by the days it covers.
create table if not exists core.broker_statements
(
    venue LowCardinality(String),
    account LowCardinality(String),
    to_date Date,
    from_date Date,
    statement_id String,
    kind LowCardinality(String),
    query_name String,
    generated_at Nullable(DateTime64(6, 'UTC')),
    base_currency Nullable(String),
    sha256 String,
    origin String,
    sections Array(String),
    unknown_fields Array(String),
    trade_rows UInt32,
    received_at DateTime64(6, 'UTC'),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, account, to_date, from_date, statement_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: one open position row of one statement; LOT rows and their SUMMARY say the same, never add both.
-- Order: a statement is read whole, by account and day.
create table if not exists core.statement_positions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    report_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    instrument_id String,
    instrument LowCardinality(String),
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    level LowCardinality(String),
    quantity Decimal(38, 12),
    multiplier Decimal(38, 12),
    currency LowCardinality(String),
    mark_price Nullable(Decimal(38, 12)),
    cost_basis Nullable(Decimal(38, 9)),
    open_ts Nullable(DateTime64(6, 'UTC')),
    originating_transaction_id String,
    fx_rate_to_base Nullable(Decimal(38, 12)),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(report_date)
order by (venue, account, report_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: the cash report of one currency in one statement; lines are the report's own items.
-- Order: a statement is read whole, by account and day.
create table if not exists core.statement_cash
(
    venue LowCardinality(String),
    account LowCardinality(String),
    to_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    from_date Date,
    currency LowCardinality(String),
    starting Decimal(38, 9),
    ending Decimal(38, 9),
    lines Map(String, Decimal(38, 9)),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(to_date)
order by (venue, account, to_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one cash transaction that is no trade, as one statement told it; + is received.
-- Order: a statement is read whole, by account and day.
create table if not exists core.statement_cash_flows
(
    venue LowCardinality(String),
    account LowCardinality(String),
    report_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    settle_date Nullable(Date),
    currency LowCardinality(String),
    amount Decimal(38, 9),
    kind LowCardinality(String),
    level LowCardinality(String),
    description String,
    transaction_id String,
    conid Nullable(Int64),
    fx_rate_to_base Nullable(Decimal(38, 12)),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(report_date)
order by (venue, account, report_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one expiration, exercise, assignment or delivery leg as one statement told it.
-- Order: a statement is read whole, by account and day.
create table if not exists core.option_events
(
    venue LowCardinality(String),
    account LowCardinality(String),
    event_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    instrument_id String,
    instrument LowCardinality(String),
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    kind LowCardinality(String),
    quantity Decimal(38, 12),
    price Decimal(38, 12),
    mark_price Nullable(Decimal(38, 12)),
    realized Nullable(Decimal(38, 9)),
    trade_id String,
    action_id String,
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(event_date)
order by (venue, account, event_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one corporate action row as one statement told it; nothing realizes.
-- Order: a statement is read whole, by account and day.
create table if not exists core.corporate_actions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    report_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    instrument_id String,
    instrument LowCardinality(String),
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    action_ts Nullable(DateTime64(6, 'UTC')),
    kind LowCardinality(String),
    quantity Decimal(38, 12),
    currency LowCardinality(String),
    proceeds Decimal(38, 9),
    description String,
    action_id String,
    transaction_id String,
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(report_date)
order by (venue, account, report_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one contract as the securities section of one statement describes it.
-- Order: a statement is read whole, by account and day.
create table if not exists core.statement_contracts
(
    venue LowCardinality(String),
    account LowCardinality(String),
    to_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    instrument_id String,
    instrument LowCardinality(String),
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    description String,
    isin LowCardinality(String),
    listing_exchange LowCardinality(String),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(to_date)
order by (venue, account, to_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one conversion rate of one day, as one statement converts: a unit of from_currency in to_currency.
-- Order: a statement is read whole, by account and day.
create table if not exists core.fx_rates
(
    venue LowCardinality(String),
    account LowCardinality(String),
    report_date Date,
    statement_id String, -- of the statement's content: the same statement told twice is the same rows
    told_at DateTime64(6, 'UTC'), -- when the broker made the statement, 1970-01-01 where it does not say
    row_key String, -- the broker's row id, else a hash of the row with its ordinal among equal rows
    from_currency LowCardinality(String),
    to_currency LowCardinality(String),
    rate Decimal(38, 12),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(report_date)
order by (venue, account, report_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one lot that is older than the first statement, imported by a person; never a fill. quantity is signed.
-- Order: by account; few rows.
create table if not exists core.opening_lots
(
    venue LowCardinality(String),
    account LowCardinality(String),
    lot_id String, -- hash of the lot's content with its ordinal among equal lots: the same file twice is the same lots
    as_of Date,
    instrument_id String,
    instrument LowCardinality(String),
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    quantity Decimal(38, 12),
    multiplier Decimal(38, 12),
    currency LowCardinality(String),
    cost_basis Decimal(38, 9),
    open_ts DateTime64(6, 'UTC'),
    origin String,
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, account, lot_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: one statement, with its precedence among those that end on the same day: Activity before Confirmation, then the
-- one made last, then the greatest id.
create or replace view core.current_statements as
select
    venue, account, kind, from_date, to_date, statement_id, query_name, generated_at, base_currency, sha256, origin, sections,
    unknown_fields, trade_rows, received_at, ingested_at,
    tuple(kind = 'activity', ifNull(generated_at, toDateTime64(0, 6, 'UTC')), statement_id) as precedence
from core.broker_statements
limit 1 by venue, account, statement_id;

-- Grain: one row of core.statement_positions of the Activity statement that was made last among those that end on that day.
create or replace view core.current_statement_positions as
select * except (ingested_at)
from core.statement_positions
where (venue, account, report_date, statement_id) in (
    select venue, account, to_date, argMax(statement_id, precedence)
    from core.current_statements
    where kind = 'activity' and has(sections, 'OpenPositions')
    group by venue, account, to_date
)
limit 1 by venue, account, report_date, statement_id, row_key;

-- Grain: one row of core.statement_cash of the Activity statement that was made last among those that end on that day.
create or replace view core.current_statement_cash as
select * except (ingested_at)
from core.statement_cash
where (venue, account, to_date, statement_id) in (
    select venue, account, to_date, argMax(statement_id, precedence)
    from core.current_statements
    where kind = 'activity' and has(sections, 'CashReport')
    group by venue, account, to_date
)
limit 1 by venue, account, to_date, statement_id, row_key;

-- Grain: one row (venue, account, row_key): the word of the statement that was made last.
create or replace view core.current_statement_cash_flows as
select * except (ingested_at)
from core.statement_cash_flows
where (venue, account, statement_id) in (select venue, account, statement_id from core.broker_statements)
order by told_at desc, statement_id desc
limit 1 by venue, account, row_key;

-- Grain: one row (venue, account, row_key): the word of the statement that was made last.
create or replace view core.current_option_events as
select * except (ingested_at)
from core.option_events
where (venue, account, statement_id) in (select venue, account, statement_id from core.broker_statements)
order by told_at desc, statement_id desc
limit 1 by venue, account, row_key;

-- Grain: one row (venue, account, row_key): the word of the statement that was made last.
create or replace view core.current_corporate_actions as
select * except (ingested_at)
from core.corporate_actions
where (venue, account, statement_id) in (select venue, account, statement_id from core.broker_statements)
order by told_at desc, statement_id desc
limit 1 by venue, account, row_key;

-- Grain: one conversion rate (venue, account, day, pair): the word of the statement that was made last.
create or replace view core.current_fx_rates as
select * except (ingested_at)
from core.fx_rates
where (venue, account, statement_id) in (select venue, account, statement_id from core.broker_statements)
order by told_at desc, statement_id desc
limit 1 by venue, account, report_date, from_currency, to_currency;

-- Grain: one row of a statement's section that is not read into a table of its own, as it came.
create table if not exists raw.statement_rows
(
    venue LowCardinality(String),
    account LowCardinality(String),
    to_date Date,
    statement_id String,
    row_key String,
    section LowCardinality(String),
    tag LowCardinality(String),
    raw String codec(ZSTD(3)),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(to_date)
order by (venue, account, to_date, statement_id, row_key)
settings non_replicated_deduplication_window = 1000;

-- Grain: one contract that any fill or statement named, with the first and the last session that did.
create or replace view core.contracts as
with named as (
    select instrument_id, instrument, conid, asset_class, symbol, underlying, currency, multiplier, session as seen_on
    from core.fill_revisions
    union all
    select instrument_id, instrument, conid, asset_class, symbol, underlying, currency, multiplier, report_date as seen_on
    from core.statement_positions
    union all
    select instrument_id, instrument, conid, asset_class, symbol, underlying, '' as currency, 0 as multiplier, to_date as seen_on
    from core.statement_contracts
)
select
    n.instrument_id as instrument_id,
    max(n.instrument) as instrument,
    max(n.conid) as conid,
    any(n.asset_class) as asset_class,
    max(n.symbol) as symbol,
    max(n.underlying) as underlying,
    max(n.currency) as currency,
    max(n.multiplier) as multiplier,
    min(n.seen_on) as first_seen,
    max(n.seen_on) as last_seen
from named as n
group by n.instrument_id;
