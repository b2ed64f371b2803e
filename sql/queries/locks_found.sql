-- The newest event of every lock; an empty list asks for all.
select *
from core.locks
where empty({break_ids:Array(String)}) or has({break_ids:Array(String)}, break_id)
order by venue, account, scope, scope_key, lock_id
