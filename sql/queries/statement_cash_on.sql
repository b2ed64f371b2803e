-- What the Activity statement that was made last says of the end of some days.
select *
from core.current_statement_cash
where venue = {venue:String} and account = {account:String} and to_date in {days:Array(Date)}
order by to_date, currency, row_key
