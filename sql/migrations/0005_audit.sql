-- What ingestion did, and what it could not read.

-- Grain: one attempt to store one batch; repeats of a batch are rows of their own, with their duplicates counted.
-- Order: asked by time. Kept for ever: a row is small, and it explains a count years later.
create table if not exists audit.ingestion_batches
(
    recorded_at DateTime64(6, 'UTC'),
    venue LowCardinality(String),
    source LowCardinality(String),
    origin String,
    batch_id String, -- hash of the batch's content
    attempt_id String,
    total_rows UInt64,
    new_rows UInt64,
    duplicates_filtered UInt64,
    corrected UInt64,
    rejected UInt64,
    new_fees UInt64,
    first_fill_at Nullable(DateTime64(6, 'UTC')),
    last_fill_at Nullable(DateTime64(6, 'UTC')),
    age_seconds Nullable(Decimal(18, 3)),
    warnings Array(String),
    received_at DateTime64(6, 'UTC')
)
engine = MergeTree
order by (recorded_at, batch_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: one row that could not be read, for one reason (the dead letter); row_key hashes reason and payload, so that a
-- repeat is the same row. The payload is kept whole up to a bound; payload_bytes is its true length.
-- Order: repeats of one row lie together; few rows.
create table if not exists audit.rejected_rows
(
    venue LowCardinality(String),
    source LowCardinality(String),
    row_key FixedString(40),
    account String,
    origin String,
    field String,
    reason String,
    payload String codec(ZSTD(3)),
    payload_bytes UInt64,
    is_trade_row Bool,
    batch_id String,
    received_at DateTime64(6, 'UTC'),
    ingested_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
order by (venue, source, row_key)
settings non_replicated_deduplication_window = 1000;
