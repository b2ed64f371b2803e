-- A fill is never under a blank id.
select venue, account, session, content_hash
from core.fill_revisions
where trimBoth(fill_id) = ''
limit 100
