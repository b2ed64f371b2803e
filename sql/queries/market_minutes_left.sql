-- Minutes that wait by the notes of other writers, the oldest first; old enough that a writer that lives has noted them again.
select writer, kind, session, symbol, source, minute, number, told_at < now() - interval 1 hour as is_old
from core.market_minutes_waiting final
where writer != {writer:String} and not is_computed
order by told_at, writer, kind, session, symbol, source, minute
limit {left_max:UInt32}
