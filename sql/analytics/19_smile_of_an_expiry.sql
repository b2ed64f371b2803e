-- The smile of each symbol's nearest expiry in its newest chain: volatility by strike and moneyness, of the side that is out of
-- the money (calls from the spot on, puts below it), for that side trades most and carries no early exercise.
with
    newest as (
        select symbol, source, max(at) as at
        from core.chains
        where implied_volatility > 0
        group by symbol, source
    ),
    nearest as (
        select c.symbol as symbol, c.source as source, min(c.expiry) as expiry
        from core.chains as c
        where (c.symbol, c.source, c.at) in (select symbol, source, at from newest) and c.implied_volatility > 0
        group by symbol, source
    )
select
    c.symbol as symbol, c.source as source, c.at as at, c.expiry as expiry, c.strike as strike, c.option_right as option_right,
    round(log(toFloat64(c.strike) / toFloat64(c.spot)), 5) as log_moneyness,
    c.implied_volatility as implied_volatility, c.delta as delta, c.bid as bid, c.ask as ask
from core.chains as c
where (c.symbol, c.source, c.at) in (select symbol, source, at from newest)
    and (c.symbol, c.source, c.expiry) in (select symbol, source, expiry from nearest)
    and c.implied_volatility > 0 and c.spot > 0
    and (c.option_right = 'C') = (c.strike >= c.spot)
order by symbol, source, strike
