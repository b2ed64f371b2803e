-- What a person had to see, for ever: the live state keeps the newest only, and nothing when it is flushed.

-- Grain: one word on one alert: that it was raised, or that it is over. A repeat of an entry, and an alert that is raised again after
-- the live state lost everything, is the same alert by its identity.
-- Order: the words on one alert lie together; few rows, so one partition a month and no end of life, as with all of the audit.
create table if not exists audit.alert_entries
(
    identity String comment 'Names the alert: of an episode its code, else drawn when it was raised.',
    word Enum8('raised' = 1, 'resolved' = 2) comment 'What is said of it.',
    level LowCardinality(String) comment 'critical or emergency; empty of what is resolved.',
    code String comment 'What happened, as docs/alerts.md lists it.',
    text String comment 'The words for a person; of what is resolved: by what.' codec(ZSTD(3)),
    component LowCardinality(String) comment 'Which process or part raised it.',
    at DateTime64(3, 'UTC') comment 'When it was written, by the clock of the live state.',
    market_at Nullable(DateTime64(6, 'UTC')) comment 'Time of the market at that moment; null where the component does not know it.',
    stream LowCardinality(String) comment 'Stream of the live state that carried it.',
    entry_ms UInt64 comment 'First half of the id of its entry.',
    entry_seq UInt64 comment 'Second half of the id.',
    stored_at DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'When the warehouse stored it.'
)
engine = ReplacingMergeTree(stored_at)
partition by toYYYYMM(at)
order by (identity, word, stream, entry_ms, entry_seq)
settings non_replicated_deduplication_window = 1000;

-- Grain: one alert as it was raised first, and what resolved it; resolved_at is null while it is open, and of alerts that have no end.
create or replace view audit.alerts as
select
    e.identity as identity,
    argMinIf(e.level, (e.entry_ms, e.entry_seq), e.word = 'raised') as level,
    argMinIf(e.code, (e.entry_ms, e.entry_seq), e.word = 'raised') as code,
    argMinIf(e.text, (e.entry_ms, e.entry_seq), e.word = 'raised') as text,
    argMinIf(e.component, (e.entry_ms, e.entry_seq), e.word = 'raised') as component,
    minIf(e.at, e.word = 'raised') as raised_at,
    minIf(e.market_at, e.word = 'raised') as market_at,
    if(countIf(e.word = 'resolved') = 0, null, minIf(e.at, e.word = 'resolved')) as resolved_at,
    argMinIf(e.text, (e.entry_ms, e.entry_seq), e.word = 'resolved') as resolved_by,
    minIf(e.entry_ms, e.word = 'raised') as entry_ms,
    argMinIf(e.entry_seq, (e.entry_ms, e.entry_seq), e.word = 'raised') as entry_seq,
    min(e.stored_at) as stored_at
from audit.alert_entries as e
group by e.identity
having countIf(e.word = 'raised') > 0;

-- What a batch of the market or a load took; of batches of fills it is not measured.
alter table audit.ingestion_batches add column if not exists duration_ms Nullable(UInt32) comment 'How long storing it took; null of batches of fills.';
