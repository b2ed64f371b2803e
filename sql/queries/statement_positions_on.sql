-- What the Activity statement that was made last says of the end of some days.
select *
from core.current_statement_positions
where venue = {venue:String} and account = {account:String} and report_date in {days:Array(Date)}
order by report_date, instrument_id, level, row_key
