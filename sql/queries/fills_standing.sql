-- Every fill as it stands, with what a second set of books would know of it.
select venue, account, fill_id, quantity, price, side, busted, fill_ts, fees
from core.fills
