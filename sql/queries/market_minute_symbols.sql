-- Who has bars of minutes in a session: shares and indexes.
select distinct b.symbol as symbol
from core.bars as b
where b.session = {session:Date} and b.seconds = 60 and b.bar_of = 'trades'
    and (startsWith(b.instrument_id, 'STK:') or startsWith(b.instrument_id, 'IND:'))
order by symbol
