-- What the statements say of these days, each row once, by the word of the statement that was made last.
select *
from core.current_option_events
where venue = {venue:String} and account = {account:String} and event_date between {start:Date} and {end:Date}
order by event_date, row_key
