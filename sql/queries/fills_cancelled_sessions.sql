-- The sessions of the fills that each batch of one attempt takes back or tells again under another id: their figures change
-- too. A cancel names the trade that it cancels; a booking without execution id may have been told before without its
-- number. A fill may be told in the same attempt, by another batch.
with trades as (
    select distinct batch_id, venue, account, if(kind = 'cancel', cancels_trade_id, trade_id) as trade
    from core.fill_staging
    where attempt_id = {attempt_id:String} and trade != '' and (kind = 'cancel' or exec_id = '')
),
told as (
    select venue, account, trade_id, session
    from core.fill_revisions
    where kind != 'cancel' and (venue, account, trade_id) in (select venue, account, trade from trades)
    union all
    select venue, account, trade_id, session
    from core.fill_staging
    where attempt_id = {attempt_id:String} and kind != 'cancel' and trade_id != ''
)
select distinct trades.batch_id as batch_id, told.account as account, told.session as session
from told
inner join trades on trades.venue = told.venue and trades.account = told.account and trades.trade = told.trade_id
