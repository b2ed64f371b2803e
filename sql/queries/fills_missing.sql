-- How many of one attempt's rows are not stored: after a move it must be none.
select count() as missing
from core.fill_staging
where attempt_id = {attempt_id:String}
    and (venue, account, session, fill_id, revision, source, content_hash) not in (
        select venue, account, session, fill_id, revision, source, content_hash
        from core.fill_revisions
        where (venue, account, session) in (
                select venue, account, session from core.fill_staging where attempt_id = {attempt_id:String}
            )
            and fill_id in (select fill_id from core.fill_staging where attempt_id = {attempt_id:String})
    )
