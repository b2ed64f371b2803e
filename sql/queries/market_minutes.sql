-- The last minutes of one share or index up to the end of a session, each once, by the rule of core.bars_once: a load before
-- the live row, then by the source's name. By symbol, since a source that knows no number of the contract names it otherwise.
select
    b.at as at,
    argMin((b.instrument_id, b.open, b.high, b.low, b.close), (b.load_id = 0, b.source)) as told
from core.bars as b
where b.session between {since:Date} and {session:Date} and b.symbol = {symbol:String}
    and b.seconds = 60 and b.bar_of = 'trades'
    and (startsWith(b.instrument_id, 'STK:') or startsWith(b.instrument_id, 'IND:'))
group by b.at
order by b.at desc
limit {bars_max:UInt32}
