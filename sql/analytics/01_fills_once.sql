-- Is every fill in the warehouse exactly once? Blank ids, logical uniqueness through the view, and the physical share of
-- rows before a merge. Expect 0, 1 and close to 1.
select
    countIf(trim(fills.fill_id) = '') as blank_ids,
    if(count() = 0, 1, uniqExact(fills.venue, fills.account, fills.fill_id) / count()) as logical_uniqueness,
    (
        select if(
            count() = 0, 1,
            uniqExact(venue, account, session, fill_id, revision, source, content_hash) / count()
        )
        from core.fill_revisions
    ) as physical_uniqueness,
    count() as fills
from core.fills as fills
