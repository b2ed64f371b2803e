-- What the statements say of these days, each row once, by the word of the statement that was made last.
select *
from core.current_corporate_actions
where venue = {venue:String} and account = {account:String} and report_date between {start:Date} and {end:Date}
order by report_date, row_key
