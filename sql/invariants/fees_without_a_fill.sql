-- A fee told by a statement belongs to a fill or to a cancel that is there; a live report may come before its fill.
select venue, account, commission_key, fill_id, source
from core.commissions
where source in ('statement', 'confirmation')
    and (venue, account, fill_id) not in (select venue, account, fill_id from core.fill_revisions)
limit 100
