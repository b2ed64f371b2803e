-- Rows of a statement that is not there were left by a kill; they are invisible, and stay a day at most until told again.
select venue, account, statement_id, count() as rows
from core.statement_positions
where (venue, account, statement_id) not in (select venue, account, statement_id from core.broker_statements)
    and ingested_at < now() - interval 1 day
group by venue, account, statement_id
limit 100
