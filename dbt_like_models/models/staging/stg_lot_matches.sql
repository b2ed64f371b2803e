-- Grain: one part of an opening closed by one fill.
with matches as (

    select * from {{ source('core', 'lot_matches') }}

)

select
    match_id,
    venue,
    account,
    session,
    instrument_id,
    conid,
    symbol,
    underlying,
    asset_class,
    strategy,
    currency,
    direction,
    kind,
    open_fill_id,
    close_fill_id,
    open_ts,
    close_ts,
    open_session,
    quantity,
    multiplier,
    open_price,
    close_price,
    open_fee,
    close_fee,
    gross_realized,
    realized
from matches
