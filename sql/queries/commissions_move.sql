-- Moves one attempt's fees to core.commission_facts, leaving out what is there already; as fills_move.
insert into core.commission_facts
(
    venue, account, session, commission_key, source, content_hash, fill_id, amount, currency, raw,
    batch_id, received_at
)
select
    venue, account, session, commission_key, source, content_hash, fill_id, amount, currency, raw,
    batch_id, received_at
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
