-- P&L of accounts by month, session, underlying, strategy or contract; an empty account asks for all. realized_base is
-- null where a rate is not known for every row.
select
    venue,
    account,
    multiIf(
        {by:String} = 'month', formatDateTime(session, '%Y-%m'),
        {by:String} = 'session', toString(session),
        {by:String} = 'underlying', toString(underlying),
        {by:String} = 'strategy', toString(strategy),
        toString(symbol)
    ) as item,
    currency,
    uniqExact(session) as sessions,
    sum(gross_realized) as gross,
    sum(fees) as fees_paid,
    sum(p.realized) as realized_net,
    if(countIf(realized_base is null) = 0, sum(realized_base), null) as realized_net_base
from core.pnl_daily as p
where ({account:String} = '' or account = {account:String})
    and session between {first:Date} and {last:Date}
group by venue, account, item, currency
having gross != 0 or fees_paid != 0 or realized_net != 0
order by venue, account, item, currency
