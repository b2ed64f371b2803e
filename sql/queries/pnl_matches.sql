-- The matches of some sessions in their runs.
select *
from core.lot_match_versions final
where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    and run_id in {run_ids:Array(String)}
order by session, close_ts, close_fill_id, open_ts, match_id
