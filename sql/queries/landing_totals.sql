-- What the files of some contents told, summed over the newest event of each, by venue and kind.
select
    venue, kind, count() as files, sum(total_rows) as total, sum(new_rows) as new, sum(duplicates_filtered) as duplicates,
    sum(l.corrected) as corrected_rows, sum(l.rejected) as rejected_rows
from
(
    select * from audit.landing_events final
    order by event_at desc, state desc
    limit 1 by sha256
) as l
where has({sha256s:Array(String)}, sha256)
group by venue, kind
order by venue, kind
