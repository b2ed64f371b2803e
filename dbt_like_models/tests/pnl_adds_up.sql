-- The realized P&L of each session and currency equals the sum over its lot matches, to the last digit.
with by_session as (

    select session, currency, sum(realized) as realized from {{ ref('daily_pnl') }} group by session, currency

),

by_match as (

    select session, currency, sum(realized) as realized from {{ ref('stg_lot_matches') }} group by session, currency

)

select
    by_session.session as session,
    by_session.currency as currency,
    by_session.realized as daily_realized,
    by_match.realized as matched_realized
from by_session
full outer join by_match on by_session.session = by_match.session and by_session.currency = by_match.currency
where by_session.realized != by_match.realized
