-- No fill happened after it was stored; a minute is left for clocks that differ.
select venue, account, fill_id, fill_ts, ingested_at
from core.fills
where fill_ts > ingested_at + interval 1 minute
limit 100
