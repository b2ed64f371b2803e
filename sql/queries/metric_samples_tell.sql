-- Store samples; the roll-ups follow the insert. Each column comes as an array, at as milliseconds since 1970.
insert into metrics.samples (name, source, feed, symbol, at, value)
select told.1, told.2, told.3, told.4, fromUnixTimestamp64Milli(told.5, 'UTC'), told.6
from
(
    select arrayJoin(arrayZip(
        {names:Array(String)}, {sources:Array(String)}, {feeds:Array(String)}, {symbols:Array(String)}, {moments_ms:Array(Int64)}, {values:Array(Float64)})) as told
)
