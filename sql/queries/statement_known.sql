-- Whether a statement is there, rows and all: its own row is written last.
select count() > 0 as is_known
from core.broker_statements
where venue = {venue:String} and account = {account:String} and statement_id = {statement_id:String}
