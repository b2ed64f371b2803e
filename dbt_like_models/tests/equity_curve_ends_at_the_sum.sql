-- The last point of an equity curve equals the sum of all daily P&L of its account and currency.
with curve as (

    select venue, account, currency, argMax(cumulative_realized, session) as last_point
    from {{ ref('equity_curve') }}
    group by venue, account, currency

),

daily as (

    select venue, account, currency, sum(realized) as realized
    from {{ ref('daily_pnl') }}
    group by venue, account, currency

)

select
    curve.venue as venue,
    curve.account as account,
    curve.currency as currency,
    curve.last_point as last_point,
    daily.realized as realized
from curve
inner join daily
    on curve.venue = daily.venue and curve.account = daily.account and curve.currency = daily.currency
where curve.last_point != daily.realized
