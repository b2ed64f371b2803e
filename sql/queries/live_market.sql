-- What was heard live of one session's market, in numbers; loads of recorded files are not counted.
select
    (select count() from core.quotes where session = {session:Date} and load_id = 0) as quotes,
    (select uniqExact(instrument_id) from core.quotes where session = {session:Date} and load_id = 0) as contracts,
    (select count() from core.trades where session = {session:Date} and load_id = 0) as trades,
    (select count() from core.bars where session = {session:Date} and load_id = 0 and seconds = 60) as minutes,
    (select count() from core.depth where session = {session:Date} and load_id = 0) as books,
    (select uniqExact(symbol, at) from core.chains where session = {session:Date} and load_id = 0) as chains,
    (select count() from core.chains where session = {session:Date} and load_id = 0) as chain_rows,
    (select count() from core.volatility where session = {session:Date} and load_id = 0) as volatility_readings,
    (select argMaxIf(toString(regime), (judged_at, entry_ms, entry_seq, place), regime != 'UNKNOWN') from core.volatility where session = {session:Date} and load_id = 0) as regime, -- after the close it is unknown
    (select max(at) from core.quotes where session = {session:Date} and load_id = 0) as until_at
