-- What did each source tell, and how much of it was new, known already, a correction, or unreadable?
select venue, source, sum(total_rows) as told, sum(new_rows) as new, sum(duplicates_filtered) as known_already,
    sum(dedup.corrected) as corrections, sum(dedup.rejected) as unreadable, max(last_recorded_at) as last_told_at
from marts.fill_dedup as dedup
group by venue, source
order by venue, source
