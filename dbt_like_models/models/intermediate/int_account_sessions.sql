-- Grain: venue, account, currency, session: every session between the first and last of the account for which P&L was
-- computed, so that a day without trades is a day of zero and not a gap.
with pnl as (

    select * from {{ ref('stg_pnl_daily') }}

),

sessions as (

    select distinct venue, account, session from pnl

),

currencies as (

    select venue, account, currency, min(session) as first_session
    from pnl
    group by venue, account, currency

)

select
    currencies.venue as venue,
    currencies.account as account,
    currencies.currency as currency,
    sessions.session as session
from currencies
inner join sessions on currencies.venue = sessions.venue and currencies.account = sessions.account
where sessions.session >= currencies.first_session
