-- What the Activity statement that was made last says of the end of the session.
select *
from core.current_statement_cash
where venue = {venue:String} and account = {account:String} and to_date = {session:Date}
order by currency, row_key
