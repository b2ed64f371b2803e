-- The lots open at the end of a session in one run, in the order of the book.
select *
from core.lot_versions final
where venue = {venue:String} and account = {account:String} and session = {session:Date} and run_id = {run_id:String}
order by place
