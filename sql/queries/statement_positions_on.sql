-- What the Activity statement that was made last says of the end of the session.
select *
from core.current_statement_positions
where venue = {venue:String} and account = {account:String} and report_date = {session:Date}
order by instrument_id, level, row_key
