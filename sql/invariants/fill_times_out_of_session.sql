-- A fill's session is near its time: a time that was taken from the wrong clock or unit is far from it.
select venue, account, fill_id, fill_ts, session, trade_date
from core.fills
where abs(dateDiff('day', toDate(fill_ts), session)) > 5
limit 100
