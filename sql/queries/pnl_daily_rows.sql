-- The daily rows of a session in one run.
select *
from core.pnl_daily_versions final
where venue = {venue:String} and account = {account:String} and session = {session:Date} and run_id = {run_id:String}
order by instrument_id, strategy
