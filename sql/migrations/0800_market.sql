-- What the market said: quotes, trades, bars, depth, chains, states, volatility, news, sentiment, technicals.
-- Each kind has a table of rows and a view that reads it right. Rows come live, entry by entry of the outbox, or by a load of
-- one session of one source. A repeat of an entry is the same row by its key, and the views read each once (final). A load
-- writes its rows first, under an id of its own, and moves a pointer last: no reader sees half of one (decisions/0010).

-- Grain: one kind of rows of one source and session that was loaded; the highest load is the pointer, so that of two at once the
-- one that began later stands. digest is the sum of the hashes of the rows' contents, so that the same rows are known again in
-- any order. Order: asked by key; few rows.
create table if not exists core.market_loads
(
    kind LowCardinality(String) comment 'Kind of the rows: quote, trade, bar and so on.',
    session Date comment 'Session of the exchange that was loaded.',
    source LowCardinality(String) comment 'Who told the rows.',
    load_id UInt64 comment 'The load that stands: nanoseconds at its beginning, and higher than the one before.',
    rows UInt64 comment 'Rows that it brought.',
    refused UInt64 comment 'Rows that went to the dead letter.',
    digest UInt64 comment 'Sum of the hashes of the rows.',
    oldest_at Nullable(DateTime64(6, 'UTC')) comment 'Time of its first row.',
    newest_at Nullable(DateTime64(6, 'UTC')) comment 'Time of its last row.',
    loaded_at DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'When the pointer moved.'
)
engine = ReplacingMergeTree(load_id)
order by (kind, session, source)
settings non_replicated_deduplication_window = 1000;

-- Grain: one kind, session and source: the load that stands.
create or replace view core.current_market_loads as
select kind, session, source, load_id, rows, refused, digest, oldest_at, newest_at, loaded_at
from core.market_loads final;

-- Grain: level 1 of one instrument as it stood when it changed. A repeat of an entry is the same row.
-- Order: a symbol's hour lies together, in it one instrument after another: the minute roll-up reads an hour (a quarter of the
-- time that instrument-first takes), the day of one instrument seven short runs, a month of a symbol whole granules.
-- Partition: a session is loaded, merged and dropped by itself. Its columns stand in the key, so that final need not merge
-- partitions with one another and prunes them: on a merged session it costs nothing (a month's scan: a quarter of the time).
-- Decimal(18, 8): decisions/0009. Delta: a neighbor is the next change of one instrument (DoubleDelta: 3.5 bytes more). GCD
-- before T64: a size counts in hundred-millionths, without it sizes take 3.6 times the bytes (13.1 against 19.2 per quote).
-- Retention: 400 days after it was stored, whole parts, so that a load of an old session is kept as long as any; change it by
-- `alter table core.quote_rows modify ttl stored_at + interval 30 day`. The roll-ups stay.
create table if not exists core.quote_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(GCD, Delta, ZSTD(1)),
    bid Nullable(Decimal(18, 8)) comment 'Best bid; null where there is none.' codec(Delta, ZSTD(1)),
    ask Nullable(Decimal(18, 8)) comment 'Best offer; null where there is none.' codec(Delta, ZSTD(1)),
    bid_size Nullable(Decimal(18, 8)) comment 'Contracts or shares at the bid.' codec(GCD, T64, ZSTD(1)),
    ask_size Nullable(Decimal(18, 8)) comment 'Contracts or shares at the offer.' codec(GCD, T64, ZSTD(1)),
    last Nullable(Decimal(18, 8)) comment 'Price of the last trade.' codec(Delta, ZSTD(1)),
    last_size Nullable(Decimal(18, 8)) comment 'Size of the last trade.' codec(GCD, T64, ZSTD(1)),
    volume Nullable(Decimal(18, 8)) comment 'Volume of the session so far.' codec(GCD, Delta, ZSTD(1)),
    conid Nullable(Int64) comment 'Number of the contract at the broker.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by (session, load_id)
primary key (symbol, session, load_id, toStartOfHour(at), instrument_id, at)
order by (symbol, session, load_id, toStartOfHour(at), instrument_id, at, source, stream, entry_ms, entry_seq, place)
ttl stored_at + interval 400 day
settings non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1, ttl_only_drop_parts = 1;

-- Grain: one print. Prints of one instrument and moment are told apart by ordinal.
-- Order and partition as the quotes, so that both are read alike by an as-of join.
create table if not exists core.trade_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(GCD, Delta, ZSTD(1)),
    ordinal UInt32 comment 'Counts prints of one instrument, moment and source from 0.' codec(T64, ZSTD(1)),
    price Decimal(18, 8) comment 'Price of one unit.' codec(Delta, ZSTD(1)),
    size Decimal(18, 8) comment 'Contracts or shares.' codec(GCD, T64, ZSTD(1)),
    exchange LowCardinality(String) comment 'Where it printed, as the source names it.',
    conditions LowCardinality(String) comment 'Sale conditions as the source tells them.',
    aggressor LowCardinality(String) comment 'Who crossed the spread: buy, sell or unknown.',
    signed_by LowCardinality(String) comment 'How the aggressor was found: quote, tick or none.',
    bid Nullable(Decimal(18, 8)) comment 'Bid that stood when it printed.' codec(Delta, ZSTD(1)),
    ask Nullable(Decimal(18, 8)) comment 'Offer that stood when it printed.' codec(Delta, ZSTD(1)),
    conid Nullable(Int64) comment 'Number of the contract at the broker.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by (session, load_id)
primary key (symbol, session, load_id, toStartOfHour(at), instrument_id, at)
order by (symbol, session, load_id, toStartOfHour(at), instrument_id, at, ordinal, source, stream, entry_ms, entry_seq, place)
settings non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- Grain: one bar as it was told last: a late part of a minute makes the same bar again, and the newest version stands.
-- Order: the bars of one width and instrument in time. Partition: few rows, months.
create table if not exists core.bar_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    at DateTime64(6, 'UTC') comment 'Beginning of the bar.' codec(Delta, ZSTD(1)),
    seconds UInt32 comment 'Width of the bar.' codec(T64, ZSTD(1)),
    bar_of LowCardinality(String) comment 'What it is made of: trades, midpoint, bid or ask.',
    open Decimal(38, 12) comment 'First price.' codec(ZSTD(1)),
    high Decimal(38, 12) comment 'Highest price.' codec(ZSTD(1)),
    low Decimal(38, 12) comment 'Lowest price.' codec(ZSTD(1)),
    close Decimal(38, 12) comment 'Last price.' codec(ZSTD(1)),
    volume Nullable(Decimal(38, 12)) comment 'Contracts or shares traded; null where the source has none.' codec(ZSTD(1)),
    average Nullable(Decimal(38, 12)) comment 'Price weighted by volume, as the source tells it.' codec(ZSTD(1)),
    trades Nullable(UInt64) comment 'Number of prints.' codec(T64, ZSTD(1)),
    conid Nullable(Int64) comment 'Number of the contract at the broker.' codec(ZSTD(1)),
    version UInt64 comment 'Grows with each telling; the highest stands.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree(version)
partition by toYYYYMM(session)
order by (symbol, seconds, instrument_id, bar_of, session, at, source, load_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: both sides of one book at one moment, best first.
-- Order: few instruments have a book; one is read in time. Retention: 90 days, changed as that of the quotes.
create table if not exists core.depth_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(Delta, ZSTD(1)),
    bids Array(Tuple(price Decimal(18, 8), size Decimal(18, 8), maker LowCardinality(String))) comment 'Levels of the bid as (price, size, maker), best first.' codec(ZSTD(1)),
    asks Array(Tuple(price Decimal(18, 8), size Decimal(18, 8), maker LowCardinality(String))) comment 'Levels of the offer as (price, size, maker), best first.' codec(ZSTD(1)),
    is_synthetic Bool comment 'Made of quotes: one level a side.',
    conid Nullable(Int64) comment 'Number of the contract at the broker.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by (session, load_id)
primary key (symbol, session, load_id, instrument_id, at)
order by (symbol, session, load_id, instrument_id, at, source, stream, entry_ms, entry_seq, place)
ttl stored_at + interval 90 day
settings non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1, ttl_only_drop_parts = 1;

-- Grain: one contract in one snapshot of a chain, with its greeks and open interest.
-- Order: a snapshot lies together, in it by expiry, strike and right: it is read whole. Floats are estimates, never summed as
-- money; neighbors are other contracts, so a codec for series (Gorilla) gains nothing (measured).
create table if not exists core.chain_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    at DateTime64(6, 'UTC') comment 'Moment of the snapshot.' codec(GCD, Delta, ZSTD(1)),
    expiry Date comment 'Day on which the contract expires.' codec(Delta, ZSTD(1)),
    strike Decimal(18, 4) comment 'Strike of the contract.' codec(Delta, ZSTD(1)),
    option_right LowCardinality(String) comment 'C for a call, P for a put.',
    instrument_id LowCardinality(String) comment 'Canonical name of the contract.',
    trading_class LowCardinality(String) comment 'Class of the contract, such as SPXW.',
    multiplier UInt32 comment 'Units of the underlying in one contract.' codec(T64, ZSTD(1)),
    conid Nullable(Int64) comment 'Number of the contract at the broker.' codec(ZSTD(1)),
    quoted_at DateTime64(6, 'UTC') comment 'When the contract itself was heard.' codec(Delta, ZSTD(1)),
    bid Nullable(Decimal(18, 8)) comment 'Best bid; null where there is none.' codec(ZSTD(1)),
    ask Nullable(Decimal(18, 8)) comment 'Best offer; null where there is none.' codec(ZSTD(1)),
    bid_size Nullable(Decimal(18, 8)) comment 'Contracts at the bid.' codec(GCD, T64, ZSTD(1)),
    ask_size Nullable(Decimal(18, 8)) comment 'Contracts at the offer.' codec(GCD, T64, ZSTD(1)),
    last Nullable(Decimal(18, 8)) comment 'Price of the last trade.' codec(ZSTD(1)),
    volume Nullable(Decimal(18, 8)) comment 'Contracts traded in the session so far.' codec(GCD, T64, ZSTD(1)),
    open_interest Nullable(Int64) comment 'Open contracts on the morning of open_interest_date.' codec(T64, ZSTD(1)),
    open_interest_date Nullable(Date) comment 'Day that the open interest is of.' codec(ZSTD(1)),
    greeks_at Nullable(DateTime64(6, 'UTC')) comment 'When the greeks were told or computed.' codec(ZSTD(1)),
    greeks_source LowCardinality(String) comment 'Whose model: ibkr, alpha_vantage, venue_file or own; empty without greeks.',
    implied_volatility Nullable(Float64) comment 'Implied volatility as a fraction.' codec(ZSTD(1)),
    delta Nullable(Float64) comment 'Change of the price per unit of the underlying.' codec(ZSTD(1)),
    gamma Nullable(Float64) comment 'Change of delta per unit of the underlying.' codec(ZSTD(1)),
    vega Nullable(Float64) comment 'Change of the price per point of volatility.' codec(ZSTD(1)),
    theta Nullable(Float64) comment 'Change of the price per day.' codec(ZSTD(1)),
    rho Nullable(Float64) comment 'Change of the price per point of interest.' codec(ZSTD(1)),
    model_price Nullable(Float64) comment 'Price by the model.' codec(ZSTD(1)),
    underlying_price Nullable(Float64) comment 'Price of the underlying that the model took.' codec(ZSTD(1)),
    spot Nullable(Decimal(18, 8)) comment 'Price of the underlying at the snapshot.' codec(ZSTD(1)),
    listed Nullable(UInt32) comment 'Contracts that are listed; null where nobody knows.' codec(ZSTD(1)),
    contracts UInt32 comment 'Contracts in this snapshot.' codec(ZSTD(1)),
    told_by LowCardinality(String) comment 'Who told or assembled the snapshot.',
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by (session, load_id)
primary key (symbol, session, load_id, at, expiry, strike)
order by (symbol, session, load_id, at, expiry, strike, option_right, instrument_id, source, stream, entry_ms, entry_seq, place)
settings non_replicated_deduplication_window = 1000, min_age_to_force_merge_seconds = 600, min_age_to_force_merge_on_partition_only = 1;

-- Grain: one change of the state of one instrument, and why. Order: one instrument in time; few rows, months.
create table if not exists core.state_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(Delta, ZSTD(1)),
    state LowCardinality(String) comment 'open, halted, locked, crossed, stale or closed; anything but open stops signals.',
    reason String comment 'Why, in words.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (symbol, instrument_id, session, at, source, load_id, stream, entry_ms, entry_seq, place)
settings non_replicated_deduplication_window = 1000;

-- Grain: one reading of a volatility index and the regime that was judged from it. Order: one index in time.
create table if not exists core.volatility_rows
(
    index_name LowCardinality(String) comment 'The index, such as VIX1D.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(Delta, ZSTD(1)),
    value Decimal(18, 8) comment 'The index in points.' codec(ZSTD(1)),
    told_by LowCardinality(String) comment 'Where the reading comes from: ibkr, yahoo or cboe_history.',
    regime LowCardinality(String) comment 'SHOCK, ELEVATED, NORMAL, BENIGN or UNKNOWN, which vetoes 0DTE.',
    judged_at DateTime64(6, 'UTC') comment 'When the regime was judged.' codec(Delta, ZSTD(1)),
    change_5m Nullable(Decimal(18, 8)) comment 'Points against five minutes before.' codec(ZSTD(1)),
    change_1h Nullable(Decimal(18, 8)) comment 'Points against an hour before.' codec(ZSTD(1)),
    z_score Nullable(Float64) comment 'Against the same time of earlier days.' codec(ZSTD(1)),
    samples UInt32 comment 'Earlier days that the score stands on.' codec(T64, ZSTD(1)),
    reason String comment 'Why this regime, in words.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (index_name, session, at, source, load_id, stream, entry_ms, entry_seq, place)
settings non_replicated_deduplication_window = 1000;

-- Grain: one article as it was told last; vendors tell it again with each answer. Order: asked by time; months.
create table if not exists core.news_rows
(
    item_id String comment 'Hash of the address of the article.' codec(ZSTD(1)),
    published_at DateTime64(6, 'UTC') comment 'When it was published.' codec(Delta, ZSTD(1)),
    title String comment 'Headline.' codec(ZSTD(3)),
    url String comment 'Address.' codec(ZSTD(3)),
    publisher LowCardinality(String) comment 'Who published it.',
    score Float64 comment 'Sentiment of the whole article, -1 to 1.' codec(ZSTD(1)),
    label LowCardinality(String) comment 'The score in a word of the vendor.',
    topics Array(LowCardinality(String)) comment 'Topics by the vendor.' codec(ZSTD(1)),
    tickers Array(Tuple(symbol LowCardinality(String), score Float64, relevance Float64, label LowCardinality(String))) comment 'What it says of each symbol: score -1 to 1, relevance 0 to 1.' codec(ZSTD(1)),
    version UInt64 comment 'Grows with each telling; the highest stands.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree(version)
partition by toYYYYMM(session)
order by (session, published_at, item_id, source, load_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: the sentiment of one symbol over one window of articles. Order: one symbol in time.
create table if not exists core.sentiment_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(Delta, ZSTD(1)),
    window_s UInt32 comment 'Width of the window in seconds.' codec(T64, ZSTD(1)),
    articles UInt32 comment 'Articles in it.' codec(T64, ZSTD(1)),
    score Nullable(Float64) comment 'Mean weighted by relevance, -1 to 1; null without articles.' codec(ZSTD(1)),
    label LowCardinality(String) comment 'The score in a word.',
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree
partition by toYYYYMM(session)
order by (symbol, session, at, source, load_id, stream, entry_ms, entry_seq, place)
settings non_replicated_deduplication_window = 1000;

-- Grain: one indicator of one symbol and interval at one time, as it was told last. Order: one indicator in time.
create table if not exists core.technical_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    indicator LowCardinality(String) comment 'RSI, MACD, BBANDS or ATR.',
    bar_interval LowCardinality(String) comment 'Width of the bars it stands on, as the vendor names it.',
    at DateTime64(6, 'UTC') comment 'Time of the market: the venue, else the clock of the broker.' codec(Delta, ZSTD(1)),
    figures Map(LowCardinality(String), Float64) comment 'Values by name: RSI has one, MACD and BBANDS three.' codec(ZSTD(1)),
    told_by LowCardinality(String) comment 'Who told or computed it.',
    version UInt64 comment 'Grows with each telling; the highest stands.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded it: ibkr, alpha_vantage, lean and so on.',
    session Date comment 'Session of the exchange (XNYS) that the time belongs to, computed here.',
    heard_at DateTime64(3, 'UTC') comment 'Clock of this machine when it was heard or loaded; in no key.' codec(Delta, ZSTD(1)),
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    stream LowCardinality(String) comment 'Stream of the outbox that carried it; empty for a load.',
    entry_ms UInt64 comment 'First half of the id of its entry in the stream; 0 for a load.' codec(Delta, ZSTD(1)),
    entry_seq UInt32 comment 'Second half of the id; the number of the part in a load.' codec(T64, ZSTD(1)),
    place UInt32 comment 'Place of the row in its entry, or in its part of a load.' codec(T64, ZSTD(1)),
    stored_at DateTime('UTC') default now() comment 'When the warehouse stored it; retention counts from here.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree(version)
partition by toYYYYMM(session)
order by (symbol, indicator, bar_interval, session, at, told_by, source, load_id)
settings non_replicated_deduplication_window = 1000;

-- Grain: level 1 of one instrument as it stood when it changed; each once.
create or replace view core.quotes as
select
    symbol, instrument_id, at, bid, ask, bid_size, ask_size, last, last_size, volume, conid, source, session,
    heard_at, load_id, stream, entry_ms, entry_seq, place
from core.quote_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'quote');

-- Grain: one print; each once.
create or replace view core.trades as
select
    symbol, instrument_id, at, ordinal, price, size, exchange, conditions, aggressor, signed_by, bid, ask, conid,
    source, session, heard_at, load_id, stream, entry_ms, entry_seq, place
from core.trade_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'trade');

-- Grain: one bar as it was told last; each once.
create or replace view core.bars as
select
    symbol, instrument_id, at, seconds, bar_of, open, high, low, close, volume, average, trades, conid, version,
    source, session, heard_at, load_id, stream, entry_ms, entry_seq, place
from core.bar_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'bar');

-- Grain: both sides of one book at one moment; each once.
create or replace view core.depth as
select
    symbol, instrument_id, at, bids, asks, is_synthetic, conid, source, session, heard_at, load_id, stream, entry_ms,
    entry_seq, place
from core.depth_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'depth');

-- Grain: one contract in one snapshot of a chain; each once.
create or replace view core.chains as
select
    symbol, at, expiry, strike, option_right, instrument_id, trading_class, multiplier, conid, quoted_at, bid, ask,
    bid_size, ask_size, last, volume, open_interest, open_interest_date, greeks_at, greeks_source, implied_volatility,
    delta, gamma, vega, theta, rho, model_price, underlying_price, spot, listed, contracts, told_by, source, session,
    heard_at, load_id, stream, entry_ms, entry_seq, place
from core.chain_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'chain');

-- Grain: one change of the state of one instrument; each once.
create or replace view core.instrument_states as
select
    symbol, instrument_id, at, state, reason, source, session, heard_at, load_id, stream, entry_ms, entry_seq, place
from core.state_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'state');

-- Grain: one reading of a volatility index and the regime that was judged from it; each once.
create or replace view core.volatility as
select
    index_name, at, value, told_by, regime, judged_at, change_5m, change_1h, z_score, samples, reason, source,
    session, heard_at, load_id, stream, entry_ms, entry_seq, place
from core.volatility_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'volatility');

-- Grain: one article as it was told last; each once.
create or replace view core.news as
select
    item_id, published_at, title, url, publisher, score, label, topics, tickers, version, source, session, heard_at,
    load_id, stream, entry_ms, entry_seq, place
from core.news_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'news');

-- Grain: the sentiment of one symbol over one window of articles; each once.
create or replace view core.sentiment as
select
    symbol, at, window_s, articles, score, label, source, session, heard_at, load_id, stream, entry_ms, entry_seq,
    place
from core.sentiment_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'sentiment');

-- Grain: one indicator of one symbol and interval at one time; each once.
create or replace view core.technicals as
select
    symbol, indicator, bar_interval, at, figures, told_by, version, source, session, heard_at, load_id, stream,
    entry_ms, entry_seq, place
from core.technical_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'technical');

-- Roll-ups by minute. A view that adds up what is inserted would count a repeat twice, and lose what a kill leaves between the
-- rows and the sum. So the writer names the minutes that it touched, after their rows are stored; a materialized view reads
-- those minutes again, each row once, and its figures replace the older ones. Naming a minute again changes nothing.

-- Grain: one minute of one symbol whose rows changed. Keeps nothing: the views below read what is inserted.
create table if not exists core.quote_minutes_touched
(
    session Date,
    symbol LowCardinality(String),
    source LowCardinality(String),
    load_id UInt64,
    minute DateTime('UTC')
)
engine = Null;

-- Grain: one minute of one instrument. Order: one instrument in time; an hour's and a day's figures follow from it.
create table if not exists core.quote_minute_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    minute DateTime('UTC') comment 'Beginning of the minute.' codec(Delta, ZSTD(1)),
    open Nullable(Decimal(38, 12)) comment 'First midpoint of the minute; null where no quote had two sides.' codec(ZSTD(1)),
    high Nullable(Decimal(38, 12)) comment 'Highest midpoint.' codec(ZSTD(1)),
    low Nullable(Decimal(38, 12)) comment 'Lowest midpoint.' codec(ZSTD(1)),
    close Nullable(Decimal(38, 12)) comment 'Last midpoint.' codec(ZSTD(1)),
    spread_sum Decimal(38, 12) comment 'Sum of offer less bid over the two-sided quotes.' codec(ZSTD(1)),
    quotes UInt32 comment 'Quotes in the minute.' codec(T64, ZSTD(1)),
    two_sided UInt32 comment 'Quotes with a bid and an offer.' codec(T64, ZSTD(1)),
    locked UInt32 comment 'Quotes whose bid equals the offer.' codec(T64, ZSTD(1)),
    crossed UInt32 comment 'Quotes whose bid is above the offer.' codec(T64, ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded the quotes.',
    session Date comment 'Session of the exchange.',
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    computed_at DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'When the minute was computed; the newest stands.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree(computed_at)
partition by toYYYYMM(session)
order by (symbol, instrument_id, session, minute, source, load_id)
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists core.quote_minutes_computed to core.quote_minute_rows as
select
    q.symbol as symbol,
    q.instrument_id as instrument_id,
    q.minute as minute,
    toDecimal128(argMinIf(q.both, q.told, q.is_two_sided), 12) / 2 as open,
    toDecimal128(maxIf(q.both, q.is_two_sided), 12) / 2 as high,
    toDecimal128(minIf(q.both, q.is_two_sided), 12) / 2 as low,
    toDecimal128(argMaxIf(q.both, q.told, q.is_two_sided), 12) / 2 as close,
    toDecimal128(ifNull(sumIf(q.spread, q.is_two_sided), 0), 12) as spread_sum, -- null where no quote of the minute had two sides
    toUInt32(count()) as quotes,
    toUInt32(countIf(q.is_two_sided)) as two_sided,
    toUInt32(countIf(q.is_two_sided and q.spread = 0)) as locked,
    toUInt32(countIf(q.is_two_sided and q.spread < 0)) as crossed,
    q.source as source,
    q.session as session,
    q.load_id as load_id
from
(
    select distinct session, symbol, source, load_id, minute
    from core.quote_minutes_touched
) as t
inner join
(
    select
        session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
        (at, entry_ms, entry_seq, place) as told,
        bid is not null and ask is not null as is_two_sided,
        bid + ask as both,
        ask - bid as spread
    from core.quote_rows
    where session in (select session from core.quote_minutes_touched)
        and load_id in (select load_id from core.quote_minutes_touched)
        and symbol in (select symbol from core.quote_minutes_touched)
        and at >= (select min(minute) from core.quote_minutes_touched)
        and at < (select max(minute) + interval 1 minute from core.quote_minutes_touched)
    limit 1 by load_id, stream, entry_ms, entry_seq, place
) as q on q.session = t.session and q.symbol = t.symbol and q.source = t.source and q.load_id = t.load_id and q.minute = t.minute
group by symbol, instrument_id, minute, source, session, load_id;

-- Grain: one minute of one instrument: the midpoints, the average spread, how many quotes and of which kinds.
create or replace view core.quote_minutes as
select
    symbol, instrument_id, minute, open, high, low, close,
    if(two_sided = 0, null, spread_sum / two_sided) as spread_average,
    quotes, two_sided, locked, crossed, source, session, load_id, computed_at
from core.quote_minute_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'quote');

-- Grain: as core.quote_minutes_touched, of trades.
create table if not exists core.trade_minutes_touched
(
    session Date,
    symbol LowCardinality(String),
    source LowCardinality(String),
    load_id UInt64,
    minute DateTime('UTC')
)
engine = Null;

-- Grain: one minute of one instrument that traded. Order: one instrument in time.
create table if not exists core.trade_minute_rows
(
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    instrument_id LowCardinality(String) comment 'Canonical name of the instrument.',
    minute DateTime('UTC') comment 'Beginning of the minute.' codec(Delta, ZSTD(1)),
    open Decimal(18, 8) comment 'Price of the first print.' codec(ZSTD(1)),
    high Decimal(18, 8) comment 'Highest price.' codec(ZSTD(1)),
    low Decimal(18, 8) comment 'Lowest price.' codec(ZSTD(1)),
    close Decimal(18, 8) comment 'Price of the last print.' codec(ZSTD(1)),
    trades UInt32 comment 'Number of prints.' codec(T64, ZSTD(1)),
    volume Decimal(38, 12) comment 'Contracts or shares.' codec(ZSTD(1)),
    value Decimal(38, 12) comment 'Sum of price times size, without the multiplier.' codec(ZSTD(1)),
    buy_volume Decimal(38, 12) comment 'Volume whose aggressor bought.' codec(ZSTD(1)),
    sell_volume Decimal(38, 12) comment 'Volume whose aggressor sold.' codec(ZSTD(1)),
    source LowCardinality(String) comment 'Who heard or loaded the prints.',
    session Date comment 'Session of the exchange.',
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.' codec(ZSTD(1)),
    computed_at DateTime64(6, 'UTC') default now64(6, 'UTC') comment 'When the minute was computed; the newest stands.' codec(Delta, ZSTD(1))
)
engine = ReplacingMergeTree(computed_at)
partition by toYYYYMM(session)
order by (symbol, instrument_id, session, minute, source, load_id)
settings non_replicated_deduplication_window = 1000;

create materialized view if not exists core.trade_minutes_computed to core.trade_minute_rows as
select
    q.symbol as symbol,
    q.instrument_id as instrument_id,
    q.minute as minute,
    argMin(q.price, q.told) as open,
    max(q.price) as high,
    min(q.price) as low,
    argMax(q.price, q.told) as close,
    toUInt32(count()) as trades,
    sum(q.shares) as volume,
    sum(q.value) as value,
    sumIf(q.shares, q.aggressor = 'buy') as buy_volume,
    sumIf(q.shares, q.aggressor = 'sell') as sell_volume,
    q.source as source,
    q.session as session,
    q.load_id as load_id
from
(
    select distinct session, symbol, source, load_id, minute
    from core.trade_minutes_touched
) as t
inner join
(
    select
        session, symbol, instrument_id, source, load_id, toStartOfMinute(at) as minute,
        (at, ordinal, entry_ms, entry_seq, place) as told,
        price, aggressor,
        toDecimal128(size, 12) as shares,
        toDecimal128(price * toDecimal128(size, 4), 12) as value
    from core.trade_rows
    where session in (select session from core.trade_minutes_touched)
        and load_id in (select load_id from core.trade_minutes_touched)
        and symbol in (select symbol from core.trade_minutes_touched)
        and at >= (select min(minute) from core.trade_minutes_touched)
        and at < (select max(minute) + interval 1 minute from core.trade_minutes_touched)
    limit 1 by load_id, stream, entry_ms, entry_seq, place
) as q on q.session = t.session and q.symbol = t.symbol and q.source = t.source and q.load_id = t.load_id and q.minute = t.minute
group by symbol, instrument_id, minute, source, session, load_id;

-- Grain: one minute of one instrument that traded: prices, volume, value, and who crossed the spread.
create or replace view core.trade_minutes as
select
    symbol, instrument_id, minute, open, high, low, close, trades, volume, value,
    if(volume = 0, null, value / volume) as average,
    buy_volume, sell_volume, buy_volume - sell_volume as signed_volume,
    source, session, load_id, computed_at
from core.trade_minute_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'trade');

-- Grain: one instrument and source: its newest quote of the newest session that any instrument has. Times are looked through
-- first, and whole rows read only of the newest: sorting a session took five times the CPU.
create or replace view core.quotes_newest as
with times as (
    select r.symbol as symbol, r.instrument_id as instrument_id, r.source as source, max(r.at) as newest_at
    from core.quote_rows as r
    where r.session = (select max(session) from core.quote_rows)
        and (r.load_id = 0 or r.load_id in (select load_id from core.current_market_loads where kind = 'quote'))
    group by symbol, instrument_id, source
)
select
    q.symbol as symbol, q.instrument_id as instrument_id, q.at as at, q.bid as bid, q.ask as ask, q.bid_size as bid_size,
    q.ask_size as ask_size, q.last as last, q.last_size as last_size, q.volume as volume, q.conid as conid, q.source as source,
    q.session as session, q.heard_at as heard_at
from core.quote_rows as q
where q.session = (select max(session) from core.quote_rows)
    and (q.load_id = 0 or q.load_id in (select load_id from core.current_market_loads where kind = 'quote'))
    and (q.symbol, q.instrument_id, q.source, q.at) in (select symbol, instrument_id, source, newest_at from times)
order by q.entry_ms desc, q.entry_seq desc, q.place desc
limit 1 by q.symbol, q.instrument_id, q.source;

-- Grain: one contract in the newest snapshot of its symbol's chain, of each source, in the newest session that any has.
create or replace view core.chains_newest as
select *
from core.chains
where session = (select max(session) from core.chain_rows)
    and (symbol, source, at) in (
        select c.symbol, c.source, max(c.at)
        from core.chains as c
        where c.session = (select max(session) from core.chain_rows)
        group by c.symbol, c.source
    );

-- Grain: one instrument and source: its state now.
create or replace view core.instrument_states_newest as
select symbol, instrument_id, source, at, state, reason, session, heard_at
from core.instrument_states
order by at desc, entry_ms desc, entry_seq desc, place desc
limit 1 by symbol, instrument_id, source;

-- Grain: one index: its newest reading.
create or replace view core.volatility_newest as
select index_name, at, value, told_by, regime, judged_at, change_5m, change_1h, z_score, samples, reason, source, session, heard_at
from core.volatility
order by judged_at desc, at desc, entry_ms desc, entry_seq desc, place desc
limit 1 by index_name;
