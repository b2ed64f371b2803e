-- Fills, exactly once: every version that any source ever told, its fees, and the view that picks one.

-- Grain: one version of one fill as one source told it. A merge removes physical repeats; the view never sees them.
-- Order: an identical version lies in the same session, so the anti-join of a batch reads its sessions, not history.
create table if not exists core.fill_revisions
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    fill_id String,
    revision UInt32,
    source Enum8('live' = 1, 'same_day' = 2, 'backfill' = 3, 'confirmation' = 4, 'statement' = 5),
    content_hash FixedString(20),
    kind LowCardinality(String),
    instrument_id String,
    instrument LowCardinality(String), -- the contract's fields as canonical JSON: one text per contract, the value is rebuilt from it
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    expiry Nullable(Date32),
    strike Nullable(Decimal(38, 12)),
    option_right LowCardinality(String),
    multiplier Decimal(38, 12),
    exchange LowCardinality(String),
    side LowCardinality(String),
    quantity Decimal(38, 12),
    price Decimal(38, 12),
    notional Decimal(38, 9),
    currency LowCardinality(String),
    fill_ts DateTime64(6, 'UTC'),
    trade_date Date,
    report_date Nullable(Date),
    exec_id String,
    order_id String,
    order_ref String,
    perm_id String,
    trade_id String,
    transaction_id String,
    cancels_trade_id String,
    action_id String,
    description String,
    liquidity LowCardinality(String),
    open_close LowCardinality(String),
    notes Array(LowCardinality(String)),
    strategy Nullable(String),
    signal_id Nullable(String),
    provisional Bool,
    broker_realized Nullable(Decimal(38, 9)),
    broker_cost Nullable(Decimal(38, 9)),
    broker_net_cash Nullable(Decimal(38, 9)),
    fx_rate_to_base Nullable(Decimal(38, 12)),
    raw String codec(ZSTD(3)),
    batch_id String,
    received_at DateTime64(6, 'UTC'),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC'),
    index by_fill_id fill_id type bloom_filter(0.01) granularity 1,
    index by_trade_id trade_id type bloom_filter(0.01) granularity 1
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (venue, account, session, fill_id, revision, source, content_hash)
settings non_replicated_deduplication_window = 1000;

-- Grain: one row of one attempt to store a batch, on its way to core.fill_revisions; told_before says what the row is
-- against the rows before it in the same batch (0 first of its fill, 2 another version of one).
-- Partition: an attempt is dropped as a whole. What a killed attempt leaves goes after a day.
-- Order: none, it is read whole and once.
create table if not exists core.fill_staging
(
    attempt_id String,
    staged_at DateTime default now(),
    told_before UInt8,
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    fill_id String,
    revision UInt32,
    source Enum8('live' = 1, 'same_day' = 2, 'backfill' = 3, 'confirmation' = 4, 'statement' = 5),
    content_hash FixedString(20),
    kind LowCardinality(String),
    instrument_id String,
    instrument LowCardinality(String), -- the contract's fields as canonical JSON: one text per contract, the value is rebuilt from it
    conid Nullable(Int64),
    asset_class LowCardinality(String),
    symbol LowCardinality(String),
    underlying LowCardinality(String),
    expiry Nullable(Date32),
    strike Nullable(Decimal(38, 12)),
    option_right LowCardinality(String),
    multiplier Decimal(38, 12),
    exchange LowCardinality(String),
    side LowCardinality(String),
    quantity Decimal(38, 12),
    price Decimal(38, 12),
    notional Decimal(38, 9),
    currency LowCardinality(String),
    fill_ts DateTime64(6, 'UTC'),
    trade_date Date,
    report_date Nullable(Date),
    exec_id String,
    order_id String,
    order_ref String,
    perm_id String,
    trade_id String,
    transaction_id String,
    cancels_trade_id String,
    action_id String,
    description String,
    liquidity LowCardinality(String),
    open_close LowCardinality(String),
    notes Array(LowCardinality(String)),
    strategy Nullable(String),
    signal_id Nullable(String),
    provisional Bool,
    broker_realized Nullable(Decimal(38, 9)),
    broker_cost Nullable(Decimal(38, 9)),
    broker_net_cash Nullable(Decimal(38, 9)),
    fx_rate_to_base Nullable(Decimal(38, 12)),
    raw String codec(ZSTD(3)),
    batch_id String,
    received_at DateTime64(6, 'UTC')
)
engine = MergeTree
partition by attempt_id
order by tuple()
ttl staged_at + interval 1 day
settings non_replicated_deduplication_window = 100, ttl_only_drop_parts = 1;

-- Grain: one fee as one source told it; amount is positive for a cost. session is 1970-01-01 where the source does not say.
-- Order: as for fills, the repeat of a fee lies in the same session.
create table if not exists core.commission_facts
(
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    commission_key String,
    source Enum8('live' = 1, 'same_day' = 2, 'backfill' = 3, 'confirmation' = 4, 'statement' = 5),
    content_hash FixedString(20),
    fill_id String,
    amount Decimal(38, 9),
    currency LowCardinality(String),
    raw String codec(ZSTD(3)),
    batch_id String,
    received_at DateTime64(6, 'UTC'),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
partition by toYear(session)
order by (venue, account, session, commission_key, source, content_hash)
settings non_replicated_deduplication_window = 1000;

-- Grain: one fee of one attempt, on its way to core.commission_facts. Partition and order as core.fill_staging.
create table if not exists core.commission_staging
(
    attempt_id String,
    staged_at DateTime default now(),
    venue LowCardinality(String),
    account LowCardinality(String),
    session Date,
    commission_key String,
    source Enum8('live' = 1, 'same_day' = 2, 'backfill' = 3, 'confirmation' = 4, 'statement' = 5),
    content_hash FixedString(20),
    fill_id String,
    amount Decimal(38, 9),
    currency LowCardinality(String),
    raw String codec(ZSTD(3)),
    batch_id String,
    received_at DateTime64(6, 'UTC')
)
engine = MergeTree
partition by attempt_id
order by tuple()
ttl staged_at + interval 1 day
settings non_replicated_deduplication_window = 100, ttl_only_drop_parts = 1;

-- Grain: an interval that a source has told completely, start inclusive, end exclusive.
-- Order: asked by account, then by time.
create table if not exists core.coverage
(
    venue LowCardinality(String),
    account LowCardinality(String),
    source LowCardinality(String),
    start_at DateTime64(6, 'UTC'),
    end_at DateTime64(6, 'UTC'),
    batch_id String,
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, account, source, start_at, end_at)
settings non_replicated_deduplication_window = 1000;
