-- The view holds each fee once.
select venue, account, commission_key, count() as rows
from core.commissions
group by venue, account, commission_key
having count() > 1
limit 100
