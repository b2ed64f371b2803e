-- What did each strategy make by month, after fees?
select strategy, currency, toStartOfMonth(session) as month, sum(pnl.gross_realized) as gross, sum(pnl.fees) as paid,
    sum(pnl.realized) as net, uniqExact(session) as sessions
from marts.pnl_by_strategy as pnl
group by strategy, currency, month
order by strategy, currency, month
