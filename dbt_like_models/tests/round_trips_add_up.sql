-- The round trips of a strategy and currency make as much as its lot matches.
with trips as (

    select strategy, currency, sum(realized) as realized from {{ ref('int_round_trips') }} group by strategy, currency

),

matches as (

    select strategy, currency, sum(realized) as realized from {{ ref('stg_lot_matches') }} group by strategy, currency

)

select
    matches.strategy as strategy,
    matches.currency as currency,
    matches.realized as matched_realized,
    trips.realized as trip_realized
from matches
left join trips on matches.strategy = trips.strategy and matches.currency = trips.currency
where matches.realized != trips.realized
