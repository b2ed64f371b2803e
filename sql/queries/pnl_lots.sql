-- The lots open at the end of some sessions in their runs, in the order of the book.
select *
from core.lot_versions final
where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    and run_id in {run_ids:Array(String)}
order by session, place
