-- Sessions in which any share or index has bars of minutes.
select distinct b.session as session
from core.bars as b
where b.seconds = 60 and b.bar_of = 'trades'
    and (startsWith(b.instrument_id, 'STK:') or startsWith(b.instrument_id, 'IND:'))
order by session
