-- How did net realized P&L run, and how deep and how long was each account below its high?
select venue, account, currency, session, cumulative_realized, high_water_mark, drawdown,
    min(curve.drawdown) over (partition by venue, account, currency) as deepest,
    countIf(curve.drawdown < 0) over (partition by venue, account, currency) as sessions_below_the_high
from marts.equity_curve as curve
order by venue, account, currency, session
