-- Name the minutes whose rows changed: the views compute them again.
insert into core.{minutes:Identifier} (session, symbol, source, load_id, minute)
select told.1, told.2, told.3, told.4, toDateTime(told.5, 'UTC')
from
(
    select arrayJoin(arrayZip(
        {sessions:Array(Date)}, {symbols:Array(String)}, {sources:Array(String)}, {loads:Array(UInt64)}, {minutes_s:Array(UInt32)})) as told
)
