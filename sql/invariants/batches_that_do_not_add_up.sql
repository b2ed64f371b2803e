-- total = new + duplicates + corrected + rejected.
select batch_id, attempt_id, total_rows, new_rows, duplicates_filtered, corrected, rejected
from audit.ingestion_batches
where total_rows != new_rows + duplicates_filtered + corrected + rejected
limit 100
