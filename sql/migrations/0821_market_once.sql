-- Quotes, prints and bars as one tape: where a session was heard live and loaded too, each minute is of one teller. A teller is
-- a source, live or in the load that stands. Who is chosen follows from what is stored and never from the order of arrival:
--   quotes  by (instrument, minute): who told the most; of equals a load before the live rows; then by the source's name.
--           A recorded file with one quote a minute does not take the place of every change that was heard; a tape does.
--   trades  by (instrument, minute): a load before the live rows; then who told the most; then by the source's name.
--   bars    by (instrument, width, kind, beginning): a load before the live rows; then by the source's name.
-- A load is all that its source says of a session, so its minute is never cut; a live one is cut where the link was lost.

-- Grain: one teller of one kind, session and symbol; may name loads that do not stand any more. Says where two tellers can meet
-- at all, so that a session with one is read as it lies. Order: asked by kind; few rows.
create table if not exists core.market_tellers
(
    kind LowCardinality(String) comment 'quote or trade.',
    session Date comment 'Session of the exchange.',
    symbol LowCardinality(String) comment 'Symbol of the underlying.',
    source LowCardinality(String) comment 'Who told it.',
    load_id UInt64 comment '0 for what was heard live, else the load that brought it.'
)
engine = ReplacingMergeTree
order by (kind, session, symbol, source, load_id)
settings non_replicated_deduplication_window = 1000;

-- A minute that is computed again names its teller again: what a kill left out comes with the repeat.
create materialized view if not exists core.quote_tellers_named to core.market_tellers as
select distinct 'quote' as kind, session, symbol, source, load_id
from core.quote_minute_rows;

create materialized view if not exists core.trade_tellers_named to core.market_tellers as
select distinct 'trade' as kind, session, symbol, source, load_id
from core.trade_minute_rows;

insert into core.market_tellers (kind, session, symbol, source, load_id)
select distinct 'quote', session, symbol, source, load_id
from core.quote_minute_rows
settings insert_deduplicate = 0;

insert into core.market_tellers (kind, session, symbol, source, load_id)
select distinct 'trade', session, symbol, source, load_id
from core.trade_minute_rows
settings insert_deduplicate = 0;

-- Grain: one kind, session and symbol that more than one teller told.
create or replace view core.market_told_twice as
select t.kind as kind, t.session as session, t.symbol as symbol
from core.market_tellers as t
where t.load_id = 0 or (t.kind, t.load_id) in (select kind, load_id from core.current_market_loads)
group by kind, session, symbol
having uniqExact((t.source, t.load_id)) > 1;

-- Grain: one minute of one instrument and teller, with its place among the tellers of that minute; the first is the one that is
-- read. All equalities of a question reach the key, through the window and through the join below.
create or replace view core.quote_minutes_ranked as
select
    symbol, instrument_id, minute, open, high, low, close, spread_average, quotes, two_sided, locked, crossed, source, session,
    load_id, computed_at,
    row_number() over (partition by symbol, instrument_id, session, minute order by quotes desc, load_id = 0, source) as rank
from core.quote_minutes;

-- Grain: as core.quote_minutes_ranked, of prints.
create or replace view core.trade_minutes_ranked as
select
    symbol, instrument_id, minute, open, high, low, close, trades, volume, value, average, buy_volume, sell_volume, signed_volume,
    source, session, load_id, computed_at,
    row_number() over (partition by symbol, instrument_id, session, minute order by load_id = 0, trades desc, source) as rank
from core.trade_minutes;

-- Grain: one minute of one instrument: its quotes, told by one teller.
create or replace view core.quote_minutes_once as
select * except rank
from core.quote_minutes_ranked
where rank = 1;

-- Grain: one minute of one instrument that traded, told by one teller.
create or replace view core.trade_minutes_once as
select * except rank
from core.trade_minutes_ranked
where rank = 1;

-- Grain: level 1 of one instrument as it changed; each minute as one teller told it. Rows of a minute that is not rolled up yet are
-- shown: in the second between the two, nothing is missing.
create or replace view core.quotes_once as
select *
from core.quotes
where (session, symbol) not in (select session, symbol from core.market_told_twice where kind = 'quote')
union all
select q.*
from core.quotes as q
left anti join
(
    select symbol, session, instrument_id, minute, source, load_id
    from core.quote_minutes_ranked
    where rank > 1 and (session, symbol) in (select session, symbol from core.market_told_twice where kind = 'quote')
) as r on r.symbol = q.symbol and r.session = q.session and r.instrument_id = q.instrument_id
    and r.minute = toStartOfMinute(q.at) and r.source = q.source and r.load_id = q.load_id
where (q.session, q.symbol) in (select session, symbol from core.market_told_twice where kind = 'quote');

-- Grain: one print; each minute as one teller told it.
create or replace view core.trades_once as
select *
from core.trades
where (session, symbol) not in (select session, symbol from core.market_told_twice where kind = 'trade')
union all
select t.*
from core.trades as t
left anti join
(
    select symbol, session, instrument_id, minute, source, load_id
    from core.trade_minutes_ranked
    where rank > 1 and (session, symbol) in (select session, symbol from core.market_told_twice where kind = 'trade')
) as r on r.symbol = t.symbol and r.session = t.session and r.instrument_id = t.instrument_id
    and r.minute = toStartOfMinute(t.at) and r.source = t.source and r.load_id = t.load_id
where (t.session, t.symbol) in (select session, symbol from core.market_told_twice where kind = 'trade');

-- Grain: one bar (instrument, width, kind, beginning), told by one teller.
create or replace view core.bars_once as
select * except rank
from
(
    select
        *,
        row_number() over (partition by symbol, seconds, instrument_id, bar_of, session, at order by load_id = 0, source) as rank
    from core.bars
)
where rank = 1;
