-- A print's minute lies in its session: after the end of the one before, and not after its own post-market in New York.
select symbol, instrument_id, source, session, minute
from core.trade_minutes
where minute > toDateTime(toString(session), 'America/New_York') + interval 20 hour
    or minute < toDateTime(toString(session), 'America/New_York') - interval 5 day
limit 100
