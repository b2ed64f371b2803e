-- Every event of one break, oldest first.
select *
from core.break_events final
where break_id = {break_id:String}
order by sequence, event_at, event_id
