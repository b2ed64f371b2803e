-- Every fill that any source told stands in the view.
select distinct venue, account, fill_id
from core.fill_revisions
where kind != 'cancel' and (venue, account, fill_id) not in (select venue, account, fill_id from core.fills)
limit 100
