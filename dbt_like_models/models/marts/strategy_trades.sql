-- Grain: strategy, currency: what the round trips of a strategy made.
{{ config(engine='MergeTree', order_by='(strategy, currency)') }}

with trips as (

    select * from {{ ref('int_round_trips') }}

)

select
    strategy,
    currency,
    count() as round_trips,
    countIf(trips.realized > 0) as winners,
    countIf(trips.realized < 0) as losers,
    winners / round_trips as win_rate,
    sum(trips.realized) as realized,
    sumIf(trips.realized, trips.realized > 0) as won,
    -sumIf(trips.realized, trips.realized < 0) as lost,
    if(lost = 0, null, toFloat64(won) / toFloat64(lost)) as profit_factor,
    toFloat64(sum(trips.realized)) / round_trips as expectancy,
    sum(trips.fees) as fees,
    if(won + lost = 0, null, toFloat64(sum(trips.fees)) / toFloat64(won + lost)) as fee_share,
    quantileExact(trips.held_seconds) as median_held_seconds
from trips
group by strategy, currency
