-- How many rows of a load are not in the one before it, by content.
select sum(greatest(told - known, 0)) as new
from
(
    select
        cityHash64(tuple(* except (source, session, heard_at, load_id, stream, entry_ms, entry_seq, place, stored_at, version))) as hash,
        toInt64(countIf(load_id = {load_id:UInt64})) as told,
        toInt64(countIf(load_id = {before:UInt64})) as known
    from core.{rows:Identifier} final
    where session = {session:Date} and load_id in ({load_id:UInt64}, {before:UInt64})
    group by hash
)
