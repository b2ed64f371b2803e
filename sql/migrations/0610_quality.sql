-- What the quality rules found, for ever.

-- Grain: one rule in one examination. Order: asked by table and rule over time.
create table if not exists audit.quality_results
(
    database LowCardinality(String),
    table LowCardinality(String),
    rule LowCardinality(String),
    examined_at DateTime64(6, 'UTC'),
    passed Bool,
    severity LowCardinality(String),
    blocking Bool,
    failing_rows Nullable(UInt64),
    sample Array(String),
    first_session Nullable(Date),
    last_session Nullable(Date)
)
engine = ReplacingMergeTree
order by (database, table, rule, examined_at)
settings non_replicated_deduplication_window = 1000;
