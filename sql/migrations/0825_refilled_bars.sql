-- How a bar came to be known: a minute that nobody heard whole is asked of the broker's history and takes the place of its part.
alter table core.bar_rows add column if not exists origin LowCardinality(String) default 'told'
    comment 'How it came to be known: told whole, partial (without some of its pieces), refilled from history after a hole.' after conid;

-- Grain: one bar as it was told last; each once.
create or replace view core.bars as
select
    symbol, instrument_id, at, seconds, bar_of, open, high, low, close, volume, average, trades, conid, origin, version,
    source, session, heard_at, load_id, stream, entry_ms, entry_seq, place
from core.bar_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'bar');

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
