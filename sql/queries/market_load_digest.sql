-- What a load holds, by content: how many rows, and the sum of the hashes of their contents, alike in any order.
select
    count() as rows,
    sum(cityHash64(tuple(* except (source, session, heard_at, load_id, stream, entry_ms, entry_seq, place, stored_at, version)))) as digest
from core.{rows:Identifier} final
where session = {session:Date} and load_id = {load_id:UInt64}
