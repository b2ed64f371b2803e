-- What circuit breakers did: which feed of which symbol was left alone, when, why, and when it was tried again.

-- Grain: one change of state of one breaker. A repeat of an entry is the same row by its key; readers say final.
-- Order: asked for one feed and symbol over time; few rows, so one partition a month.
create table if not exists audit.breaker_transitions
(
    source LowCardinality(String) comment 'Who is asked: alpha_vantage, yahoo, cboe and so on.',
    feed LowCardinality(String) comment 'What it is asked for: chain, technicals, sentiment, volatility and so on.',
    symbol LowCardinality(String) comment 'Of which symbol; empty where it is about all.',
    at DateTime64(6, 'UTC') comment 'Clock of this machine when the state changed.',
    was Enum8('closed' = 1, 'open' = 2, 'half_open' = 3) comment 'State before.',
    becomes Enum8('closed' = 1, 'open' = 2, 'half_open' = 3) comment 'State from now on; open: it is left alone.',
    failures UInt32 comment 'Failures in a row that led to it; 0 when it closed.',
    reason String comment 'Why, in words without secrets.',
    stream LowCardinality(String) comment 'Stream of the outbox that carried it.',
    entry_ms UInt64 comment 'First half of the id of its entry.',
    entry_seq UInt64 comment 'Second half of the id.',
    stored_at DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'When the warehouse stored it.'
)
engine = ReplacingMergeTree(stored_at)
partition by toYYYYMM(at)
order by (source, feed, symbol, at, becomes)
settings non_replicated_deduplication_window = 1000;
