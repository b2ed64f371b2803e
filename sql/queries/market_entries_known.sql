-- Which rows of these entries are stored; asked where entries come again. Cost follows the batch: the key's first columns and
-- the partition bound what is read.
select stream, entry_ms, entry_seq, place
from core.{rows:Identifier}
where load_id = 0
    and session in {sessions:Array(Date)}
    and {leading:Identifier} in {names:Array(String)}
    and {at:Identifier} between {first:DateTime64(6)} and {last:DateTime64(6)}
    and entry_ms in {entries:Array(UInt64)}
