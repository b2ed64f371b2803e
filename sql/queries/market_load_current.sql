-- The load of a kind, session and source that stands.
select load_id, rows
from core.current_market_loads
where kind = {kind:String} and session = {session:Date} and source = {source:String}
