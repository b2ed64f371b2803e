-- Grain: one fill as it stands. Busted fills stay in, with quantity zero.
with fills as (

    select * from {{ source('core', 'fills') }}

)

select
    venue,
    account,
    session,
    fill_id,
    revision,
    toString(source) as source,
    kind,
    instrument_id,
    conid,
    asset_class,
    symbol,
    underlying,
    expiry,
    strike,
    option_right,
    side,
    quantity,
    price,
    multiplier,
    notional,
    currency,
    fee,
    busted,
    provisional,
    coalesce(strategy, 'unattributed') as strategy,
    order_id,
    trade_id,
    fill_ts,
    received_at,
    ingested_at
from fills
