-- The view holds each fill once.
select venue, account, fill_id, count() as rows
from core.fills
group by venue, account, fill_id
having count() > 1
limit 100
