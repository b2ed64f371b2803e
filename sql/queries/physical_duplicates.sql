-- The share of physical repeats before a merge removes them: a warning by its size, never an error.
select
    count() as rows,
    uniqExact(venue, account, session, fill_id, revision, source, content_hash) as versions,
    if(rows = 0, 0, (rows - versions) / rows) as repeated_share
from core.fill_revisions
