-- Grain: venue, account, session, instrument, strategy of the opening lot.
with pnl as (

    select * from {{ source('core', 'pnl_daily') }}

)

select
    venue,
    account,
    session,
    instrument_id,
    strategy,
    conid,
    symbol,
    underlying,
    asset_class,
    currency,
    quantity_bought,
    quantity_sold,
    position_end,
    gross_realized,
    fees,
    realized,
    unrealized,
    mark_price,
    fx_rate_to_base,
    realized_base,
    run_id,
    computed_at
from pnl
