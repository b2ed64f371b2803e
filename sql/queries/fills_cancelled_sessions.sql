-- The sessions of the fills that one attempt takes back or tells again under another id: their figures change too. A cancel
-- names the trade that it cancels; a booking without execution id may have been told before without its number.
with trades as (
    select distinct venue, account, if(kind = 'cancel', cancels_trade_id, trade_id) as trade
    from core.fill_staging
    where attempt_id = {attempt_id:String} and trade != '' and (kind = 'cancel' or exec_id = '')
)
select distinct account, session
from core.fill_revisions
where kind != 'cancel' and (venue, account, trade_id) in (select venue, account, trade from trades)
