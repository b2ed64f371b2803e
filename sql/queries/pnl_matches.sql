-- The matches of a session in one run.
select *
from core.lot_match_versions final
where venue = {venue:String} and account = {account:String} and session = {session:Date} and run_id = {run_id:String}
order by close_ts, close_fill_id, open_ts, match_id
