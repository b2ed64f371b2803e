-- Grain: session, currency, over all accounts of all venues.
{{ config(engine='MergeTree', order_by='(session, currency)') }}

with pnl as (

    select * from {{ ref('daily_pnl') }}

)

select
    session,
    currency,
    uniqExact(pnl.venue, pnl.account) as accounts,
    uniqExactIf((pnl.venue, pnl.account), pnl.standing = 'reconciled') as accounts_reconciled,
    uniqExact(pnl.instrument_id) as contracts,
    sum(pnl.quantity_bought) as quantity_bought,
    sum(pnl.quantity_sold) as quantity_sold,
    sum(pnl.gross_realized) as gross_realized,
    sum(pnl.fees) as fees,
    sum(pnl.realized) as realized
from pnl
group by session, currency
