-- Counters and gauges over time: what feeds and the outbox said of themselves, raw for a week, and rolled up to seconds, minutes and
-- hours. A roll-up keeps the first, the lowest, the highest and the last value of its time, and no sum: a sample that is stored
-- twice changes none of these, so the views may simply follow the inserts.

-- Grain: one value of one measure at one moment. Order: one measure of one feed in time. Partition: a day, dropped whole.
create table if not exists metrics.samples
(
    name LowCardinality(String) comment 'What was measured: age_s, rows_per_s, rows, refused, errors, reconnects, stands_still.',
    source LowCardinality(String) comment 'Who was heard: ibkr, alpha_vantage, market-drain and so on.',
    feed LowCardinality(String) comment 'Which feed of it.',
    symbol LowCardinality(String) comment 'Of which symbol; * for all.',
    at DateTime64(3, 'UTC') comment 'When it was said.' codec(Delta, ZSTD(1)),
    value Float64 comment 'The value; counters count from the beginning of the process.' codec(Gorilla, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by toDate(at)
order by (name, source, feed, symbol, at)
ttl stored_at + interval 7 day
settings non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

-- Grain: one second of one measure. Kept for 30 days.
create table if not exists metrics.second_rows
(
    name LowCardinality(String) comment 'What was measured.',
    source LowCardinality(String) comment 'Who was heard.',
    feed LowCardinality(String) comment 'Which feed of it.',
    symbol LowCardinality(String) comment 'Of which symbol; * for all.',
    beginning DateTime('UTC') comment 'Beginning of the second.' codec(Delta, ZSTD(1)),
    first AggregateFunction(argMin, Float64, DateTime64(3, 'UTC')) comment 'First value of the second.',
    lowest SimpleAggregateFunction(min, Float64) comment 'Lowest value.',
    highest SimpleAggregateFunction(max, Float64) comment 'Highest value.',
    last AggregateFunction(argMax, Float64, DateTime64(3, 'UTC')) comment 'Last value of the second.',
    stored_at SimpleAggregateFunction(max, DateTime('UTC')) default now() comment 'When the warehouse stored its newest value; retention counts from here.'
)
engine = AggregatingMergeTree
partition by toDate(beginning)
order by (name, source, feed, symbol, beginning)
ttl stored_at + interval 30 day
settings non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

-- Grain: one minute of one measure. Kept for 400 days.
create table if not exists metrics.minute_rows
(
    name LowCardinality(String) comment 'What was measured.',
    source LowCardinality(String) comment 'Who was heard.',
    feed LowCardinality(String) comment 'Which feed of it.',
    symbol LowCardinality(String) comment 'Of which symbol; * for all.',
    beginning DateTime('UTC') comment 'Beginning of the minute.' codec(Delta, ZSTD(1)),
    first AggregateFunction(argMin, Float64, DateTime64(3, 'UTC')) comment 'First value of the minute.',
    lowest SimpleAggregateFunction(min, Float64) comment 'Lowest value.',
    highest SimpleAggregateFunction(max, Float64) comment 'Highest value.',
    last AggregateFunction(argMax, Float64, DateTime64(3, 'UTC')) comment 'Last value of the minute.',
    stored_at SimpleAggregateFunction(max, DateTime('UTC')) default now() comment 'When the warehouse stored its newest value; retention counts from here.'
)
engine = AggregatingMergeTree
partition by toYYYYMM(beginning)
order by (name, source, feed, symbol, beginning)
ttl stored_at + interval 400 day
settings non_replicated_deduplication_window = 1000, ttl_only_drop_parts = 1;

-- Grain: one hour of one measure. Stays.
create table if not exists metrics.hour_rows
(
    name LowCardinality(String) comment 'What was measured.',
    source LowCardinality(String) comment 'Who was heard.',
    feed LowCardinality(String) comment 'Which feed of it.',
    symbol LowCardinality(String) comment 'Of which symbol; * for all.',
    beginning DateTime('UTC') comment 'Beginning of the hour.' codec(Delta, ZSTD(1)),
    first AggregateFunction(argMin, Float64, DateTime64(3, 'UTC')) comment 'First value of the hour.',
    lowest SimpleAggregateFunction(min, Float64) comment 'Lowest value.',
    highest SimpleAggregateFunction(max, Float64) comment 'Highest value.',
    last AggregateFunction(argMax, Float64, DateTime64(3, 'UTC')) comment 'Last value of the hour.',
    stored_at SimpleAggregateFunction(max, DateTime('UTC')) default now() comment 'When the warehouse stored its newest value; retention counts from here.'
)
engine = AggregatingMergeTree
partition by toYear(beginning)
order by (name, source, feed, symbol, beginning)
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists metrics.seconds_followed to metrics.second_rows as
select
    name, source, feed, symbol, toStartOfSecond(at)::DateTime('UTC') as beginning,
    argMinState(value, at) as first, min(value) as lowest, max(value) as highest, argMaxState(value, at) as last
from metrics.samples
group by name, source, feed, symbol, beginning;

create materialized view if not exists metrics.minutes_followed to metrics.minute_rows as
select
    name, source, feed, symbol, toStartOfMinute(at) as beginning,
    argMinState(value, at) as first, min(value) as lowest, max(value) as highest, argMaxState(value, at) as last
from metrics.samples
group by name, source, feed, symbol, beginning;

create materialized view if not exists metrics.hours_followed to metrics.hour_rows as
select
    name, source, feed, symbol, toStartOfHour(at) as beginning,
    argMinState(value, at) as first, min(value) as lowest, max(value) as highest, argMaxState(value, at) as last
from metrics.samples
group by name, source, feed, symbol, beginning;

-- Grain: one second of one measure: its first, lowest, highest and last value.
create or replace view metrics.seconds as
select name, source, feed, symbol, beginning, argMinMerge(r.first) as first, min(r.lowest) as lowest, max(r.highest) as highest, argMaxMerge(r.last) as last
from metrics.second_rows as r
group by name, source, feed, symbol, beginning;

-- Grain: one minute of one measure: its first, lowest, highest and last value.
create or replace view metrics.minutes as
select name, source, feed, symbol, beginning, argMinMerge(r.first) as first, min(r.lowest) as lowest, max(r.highest) as highest, argMaxMerge(r.last) as last
from metrics.minute_rows as r
group by name, source, feed, symbol, beginning;

-- Grain: one hour of one measure: its first, lowest, highest and last value.
create or replace view metrics.hours as
select name, source, feed, symbol, beginning, argMinMerge(r.first) as first, min(r.lowest) as lowest, max(r.highest) as highest, argMaxMerge(r.last) as last
from metrics.hour_rows as r
group by name, source, feed, symbol, beginning;
