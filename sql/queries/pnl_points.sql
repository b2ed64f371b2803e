-- Net realized P&L of each session and currency over all accounts, oldest first.
select session, currency, sum(realized) as realized
from core.pnl_daily
where session between {first:Date} and {last:Date}
group by session, currency
order by session, currency
