-- The cash entries of a session in one run, in their order.
select *
from core.cash_ledger_versions final
where venue = {venue:String} and account = {account:String} and session = {session:Date} and run_id = {run_id:String}
order by place
