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
