-- A minute that still runs is not computed with each batch of its rows (a minute of 200,000 quotes, one batch a second: 60 times).
-- The market's drain writes down that it waits, before it acknowledges the rows, and computes it when it is over. What is here and
-- not answered was left by a writer that was killed; the next one computes it.

-- Grain: one minute that one writer noted; the highest number stands. Order: few rows, read whole.
create table if not exists core.market_minutes_waiting
(
    writer String comment 'Who noted it: a name of one life of a process.',
    kind LowCardinality(String) comment 'quote or trade.',
    session Date comment 'Session of the exchange.',
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    source LowCardinality(String) comment 'Who told the rows.',
    minute DateTime('UTC') comment 'Beginning of the minute.',
    number UInt64 comment 'Even for a note, one higher for its answer; grows with each note of the writer.',
    is_computed Bool comment 'The rows that were stored before are in the minute.',
    told_at DateTime('UTC') default now() comment 'When the warehouse stored it.'
)
engine = ReplacingMergeTree(number)
order by (writer, kind, session, symbol, source, minute)
ttl told_at + interval 30 day
settings non_replicated_deduplication_window = 1000;
