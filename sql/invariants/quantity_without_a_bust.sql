-- A quantity is above zero, except in a bust.
select venue, account, fill_id, quantity, kind, revision
from core.fills
where quantity <= 0 and not busted and revision <= 1
limit 100
