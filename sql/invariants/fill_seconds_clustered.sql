-- Fill times are the venue's, not the ingestion's: of the live fills of one batch, no single second holds most. From five
-- fills on, for two real fills in a second are lawful; bookings share one time by nature.
select batch_id, count() as fills, uniqExact(toStartOfSecond(fill_ts)) as seconds
from core.fills
where kind = 'trade'
group by batch_id
having fills >= 5 and seconds = 1 and abs(dateDiff('second', min(fill_ts), min(received_at))) < 120
limit 100
