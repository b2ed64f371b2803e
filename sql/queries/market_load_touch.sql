-- Name all minutes of some symbols' hours of a load; a minute without rows is none.
insert into core.{minutes:Identifier} (session, symbol, source, load_id, minute)
select {session:Date}, of_symbol.1, {source:String}, {load_id:UInt64}, toDateTime(of_symbol.2, 'UTC') + toIntervalMinute(minute_of_hour)
from
(
    select
        arrayJoin(arrayZip({symbols:Array(String)}, {hours:Array(UInt32)})) as of_symbol,
        arrayJoin(range(60)) as minute_of_hour
)
