-- Which of these lots are there.
select distinct lot_id
from core.opening_lots
where lot_id in {lot_ids:Array(String)}
