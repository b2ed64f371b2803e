-- Net realized P&L of the last sessions of each currency up to one, over all accounts, oldest first.
select session, currency, realized
from
(
    select session, currency, sum(daily.realized) as realized
    from core.pnl_daily as daily
    where session <= {upto:Date}
    group by session, currency
    order by session desc
    limit {sessions_max:UInt32} by currency
)
order by session, currency
