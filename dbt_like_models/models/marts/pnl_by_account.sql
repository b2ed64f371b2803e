-- Grain: venue, account, session, currency.
{{ config(engine='MergeTree', order_by='(venue, account, session, currency)') }}

with pnl as (

    select * from {{ ref('daily_pnl') }}

)

select
    venue,
    account,
    session,
    currency,
    any(pnl.standing) as standing,
    count() as contracts,
    sum(pnl.gross_realized) as gross_realized,
    sum(pnl.fees) as fees,
    sum(pnl.realized) as realized,
    sum(pnl.unrealized) as unrealized_known,
    countIf(pnl.position_end != 0 and isNull(pnl.unrealized)) as positions_without_mark,
    sum(pnl.realized_base) as realized_base_known,
    countIf(pnl.realized != 0 and isNull(pnl.realized_base)) as rows_without_rate
from pnl
group by venue, account, session, currency
