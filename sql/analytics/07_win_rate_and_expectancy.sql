-- How often does a strategy win, what does a round trip make, and how much of what it moves goes to fees?
select strategy, currency, round_trips, winners, losers, round(win_rate, 4) as win_rate,
    round(profit_factor, 3) as profit_factor, round(expectancy, 4) as expectancy, realized, fees,
    round(fee_share, 4) as fee_share, round(median_held_seconds / 3600, 2) as median_held_hours
from marts.strategy_trades
order by realized desc
