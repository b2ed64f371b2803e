-- A price of zero belongs to bookings (expiry, assignment) only; combination legs may have negative prices.
select venue, account, fill_id, price, kind
from core.fills
where price = 0 and kind = 'trade' and quantity > 0 and asset_class = 'option'
limit 100
