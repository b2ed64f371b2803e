-- A fill belongs to a session of the exchange, and no exchange of ours opens on a Saturday or a Sunday.
select venue, account, fill_id, session, fill_ts
from core.fills
where toDayOfWeek(session) > 5
limit 100
