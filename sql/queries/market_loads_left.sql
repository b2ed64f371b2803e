-- Loads of a session and source whose rows are there.
select distinct load_id
from core.{rows:Identifier}
where session = {session:Date} and source = {source:String} and load_id != 0
order by load_id
