-- The first and the last session with fills.
select min(session) as first, max(session) as last, uniqExact(session) as sessions
from core.fills
