-- Grain: venue, account, currency, session. Net realized P&L added up from the first computed session, its high-water
-- mark and the fall below it; the starting capital is not in it.
{{ config(engine='MergeTree', order_by='(venue, account, currency, session)') }}

with sessions as (

    select * from {{ ref('int_account_sessions') }}

),

daily as (

    select venue, account, currency, session, realized from {{ ref('pnl_by_account') }}

),

filled as (

    select
        sessions.venue as venue,
        sessions.account as account,
        sessions.currency as currency,
        sessions.session as session,
        daily.realized as realized
    from sessions
    left join daily
        on sessions.venue = daily.venue
        and sessions.account = daily.account
        and sessions.currency = daily.currency
        and sessions.session = daily.session

),

added as (

    select
        *,
        sum(realized) over (
            partition by venue, account, currency order by session
            rows between unbounded preceding and current row
        ) as cumulative_realized
    from filled

),

marked as (

    select
        *,
        max(cumulative_realized) over (
            partition by venue, account, currency order by session
            rows between unbounded preceding and current row
        ) as highest
    from added

)

select
    venue,
    account,
    currency,
    session,
    realized,
    cumulative_realized,
    greatest(highest, toDecimal128(0, 9)) as high_water_mark,
    cumulative_realized - greatest(highest, toDecimal128(0, 9)) as drawdown
from marked
