-- A print of one source is there once: its ordinal tells it from others of its instrument and moment. Of the newest week.
-- Warning only: a feed that starts again counts its ordinals anew and may hear a print twice.
select source, load_id, instrument_id, at, ordinal, count() as rows
from core.trades
where session >= (select max(session) - 7 from core.trade_rows)
group by source, load_id, instrument_id, at, ordinal
having count() > 1
limit 100
