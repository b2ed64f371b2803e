-- The view holds each bar of a source once: a minute that was told again replaces itself.
select source, load_id, instrument_id, seconds, bar_of, at, count() as rows
from core.bars
group by source, load_id, instrument_id, seconds, bar_of, at
having count() > 1
limit 100
