-- A repeated poll adds nothing: all attempts of one batch together added at most the rows that it has.
select batch_id, count() as attempts, max(total_rows) as told, sum(new_rows) as added
from audit.ingestion_batches
group by batch_id
having sum(new_rows) > max(total_rows)
limit 100
