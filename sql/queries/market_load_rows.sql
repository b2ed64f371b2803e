-- How many rows of a load were written, and their times.
select
    count() as rows,
    minOrNull({at:Identifier}) as oldest_at,
    maxOrNull({at:Identifier}) as newest_at
from core.{rows:Identifier}
where session = {session:Date} and load_id = {load_id:UInt64}
