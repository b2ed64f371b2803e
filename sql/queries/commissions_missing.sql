-- How many of one attempt's fees are not stored, by batch, and the days that they touch.
select batch_id, count() as missing, groupUniqArray((account, session)) as touched
from core.commission_staging
where attempt_id = {attempt_id:String}
    and (venue, account, session, commission_key, source, content_hash) not in (
        select venue, account, session, commission_key, source, content_hash
        from core.commission_facts
        where (venue, account, session) in (
                select venue, account, session from core.commission_staging where attempt_id = {attempt_id:String}
            )
            and commission_key in (
                select commission_key from core.commission_staging where attempt_id = {attempt_id:String}
            )
    )
group by batch_id
