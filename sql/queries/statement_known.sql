-- Which of these statements are there, rows and all: a statement's own row is written last.
select distinct statement_id
from core.broker_statements
where venue in {venues:Array(String)} and account in {accounts:Array(String)}
    and statement_id in {statement_ids:Array(String)}
