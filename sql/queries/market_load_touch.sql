-- Name the minutes of some symbols and hours of a load.
insert into core.{minutes:Identifier} (session, symbol, source, load_id, minute)
select distinct session, symbol, source, load_id, toStartOfMinute(at)
from core.{rows:Identifier}
where session = {session:Date} and load_id = {load_id:UInt64}
    and (symbol, toStartOfHour(at)) in arrayZip({symbols:Array(String)}, {hours:Array(DateTime('UTC'))})
