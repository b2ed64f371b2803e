-- How the rows of a load lie over symbols and hours, so that its roll-up is computed in bounded steps.
select symbol, toStartOfHour(at) as hour, count() as rows
from core.{rows:Identifier}
where session = {session:Date} and load_id = {load_id:UInt64}
group by symbol, hour
order by symbol, hour
