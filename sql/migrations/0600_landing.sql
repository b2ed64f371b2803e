-- The inbox: what became of each file, as events. The files themselves lie in the archive under their hash.

-- Grain: one event of one file (landed, refused, reconciled). Order: asked by content, then by time; few rows.
create table if not exists audit.landing_events
(
    sha256 String,
    event_at DateTime64(6, 'UTC'),
    name String,
    state LowCardinality(String),
    reason String,
    size_bytes UInt64,
    venue LowCardinality(String),
    kind LowCardinality(String),
    accounts Array(String),
    first_session Nullable(Date),
    last_session Nullable(Date),
    total_rows UInt64,
    new_rows UInt64,
    duplicates_filtered UInt64,
    corrected UInt64,
    rejected UInt64,
    first_fill_at Nullable(DateTime64(6, 'UTC')),
    last_fill_at Nullable(DateTime64(6, 'UTC')),
    archived_as String
)
engine = ReplacingMergeTree
order by (sha256, event_at, name, state)
settings non_replicated_deduplication_window = 1000;

-- Grain: one name in the inbox with the newest word on it. A refused file that was mended stands here as landed.
create or replace view audit.landed_files as
select
    name, sha256, state, reason, size_bytes, venue, kind, accounts, first_session, last_session, total_rows, new_rows,
    duplicates_filtered, corrected, rejected, first_fill_at, last_fill_at, archived_as, event_at
from
(
    select *
    from audit.landing_events final
    order by event_at desc, sha256 desc
    limit 1 by name
);
