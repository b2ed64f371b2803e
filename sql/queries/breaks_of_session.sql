-- The breaks of a session as they stand.
select *
from core.breaks
where venue = {venue:String} and account = {account:String} and session = {session:Date}
order by kind, break_id
