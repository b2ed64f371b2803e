-- Grain: strategy, session, currency, over all accounts.
{{ config(engine='MergeTree', order_by='(strategy, session, currency)') }}

with pnl as (

    select * from {{ ref('daily_pnl') }}

)

select
    strategy,
    session,
    currency,
    uniqExact(pnl.venue, pnl.account) as accounts,
    uniqExact(pnl.instrument_id) as contracts,
    sum(pnl.gross_realized) as gross_realized,
    sum(pnl.fees) as fees,
    sum(pnl.realized) as realized
from pnl
group by strategy, session, currency
