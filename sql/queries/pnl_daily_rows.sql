-- The daily rows of some sessions in their runs.
select *
from core.pnl_daily_versions final
where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    and run_id in {run_ids:Array(String)}
order by session, instrument_id, strategy
