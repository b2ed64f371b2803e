-- What a killed attempt leaves in staging goes after a day.
select attempt_id, min(staged_at) as oldest, count() as rows
from core.fill_staging
where staged_at < now() - interval 2 day
group by attempt_id
limit 100
