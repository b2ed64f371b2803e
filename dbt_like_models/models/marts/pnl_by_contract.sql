-- Grain: venue, account, instrument, currency over all sessions.
{{ config(engine='MergeTree', order_by='(venue, account, instrument_id, currency)') }}

with pnl as (

    select * from {{ ref('daily_pnl') }}

)

select
    venue,
    account,
    instrument_id,
    currency,
    any(pnl.conid) as conid,
    any(pnl.symbol) as symbol,
    any(pnl.underlying) as underlying,
    any(pnl.asset_class) as asset_class,
    min(pnl.session) as first_session,
    max(pnl.session) as last_session,
    sum(pnl.quantity_bought) as quantity_bought,
    sum(pnl.quantity_sold) as quantity_sold,
    sum(pnl.gross_realized) as gross_realized,
    sum(pnl.fees) as fees,
    sum(pnl.realized) as realized
from pnl
group by venue, account, instrument_id, currency
