-- The lots that a person imported, oldest first.
select *
from core.opening_lots
where venue = {venue:String} and account = {account:String}
order by open_ts, lot_id
limit 1 by lot_id
