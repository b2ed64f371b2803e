-- What a load holds: its rows, the sum of the hashes of their contents, and their times.
select
    count() as rows,
    sum(cityHash64(tuple(* except (source, session, heard_at, load_id, stream, entry_ms, entry_seq, place, stored_at, version)))) as digest,
    minOrNull({at:Identifier}) as oldest_at,
    maxOrNull({at:Identifier}) as newest_at
from core.{rows:Identifier} final
where session = {session:Date} and load_id = {load_id:UInt64}
