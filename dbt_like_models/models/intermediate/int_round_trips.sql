-- Grain: one round trip: all that was closed of one contract, strategy and direction between two moments at which
-- nothing of the closed part was open. The matches are the P&L engine's; nothing is matched here, only grouped.
{{ config(materialized='table', engine='MergeTree', order_by='(venue, account, instrument_id, strategy, direction, trip)') }}

with matches as (

    select * from {{ ref('stg_lot_matches') }}

),

-- The latest close among all matches that opened earlier: a match that opens after it starts a new trip.
reached as (

    select
        *,
        max(close_ts) over (
            partition by venue, account, instrument_id, strategy, direction, currency
            order by open_ts, close_ts, match_id
            rows between unbounded preceding and 1 preceding
        ) as closed_until
    from matches

),

numbered as (

    select
        *,
        sum(toUInt32(open_ts > closed_until)) over (
            partition by venue, account, instrument_id, strategy, direction, currency
            order by open_ts, close_ts, match_id
            rows between unbounded preceding and current row
        ) as trip
    from reached

)

select
    venue,
    account,
    instrument_id,
    strategy,
    direction,
    currency,
    trip,
    any(numbered.conid) as conid,
    any(numbered.symbol) as symbol,
    any(numbered.underlying) as underlying,
    any(numbered.asset_class) as asset_class,
    min(numbered.open_session) as open_session,
    max(numbered.session) as close_session,
    min(numbered.open_ts) as opened_at,
    max(numbered.close_ts) as closed_at,
    dateDiff('second', min(numbered.open_ts), max(numbered.close_ts)) as held_seconds,
    sum(numbered.quantity) as quantity,
    count() as matches,
    arraySort(groupUniqArray(numbered.kind)) as kinds,
    sum(numbered.gross_realized) as gross_realized,
    sum(numbered.open_fee) + sum(numbered.close_fee) as fees,
    sum(numbered.realized) as realized
from numbered
group by venue, account, instrument_id, strategy, direction, currency, trip
