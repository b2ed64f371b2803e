-- The cash entries of some sessions in their runs, in their order.
select *
from core.cash_ledger_versions final
where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    and run_id in {run_ids:Array(String)}
order by session, place
