-- The sessions of the fills that one attempt's cancels take back: their figures change too.
with cancels as (
    select distinct venue, account, cancels_trade_id
    from core.fill_staging
    where attempt_id = {attempt_id:String} and kind = 'cancel' and cancels_trade_id != ''
)
select distinct account, session
from core.fill_revisions
where kind != 'cancel' and (venue, account, trade_id) in (select venue, account, cancels_trade_id from cancels)
