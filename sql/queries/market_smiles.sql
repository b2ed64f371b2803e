-- Implied volatility by strike in a session's last chain until a moment, or, where all came after it, in its last: calls
-- above the spot, puts below it, which trade most. A curve is of one moment: volatilities that are older than ten minutes
-- are left out, and a symbol's chain is that of the source with most of the others. Of the symbols with most contracts,
-- the expiries nearest to the session.
with newest as (
    select
        c.symbol as symbol,
        c.source as source,
        argMax(c.at, (c.at <= {until:DateTime64(6, 'UTC')}, c.at)) as at
    from core.chains as c
    where c.session = {session:Date} and c.implied_volatility > 0
    group by c.symbol, c.source
),
told as (
    select
        c.symbol as symbol, c.source as source, c.at as at, c.expiry as expiry, c.strike as strike,
        c.implied_volatility as implied_volatility, c.option_right = 'C' as is_call, c.spot as spot
    from core.chains as c
    inner join newest as n on n.symbol = c.symbol and n.source = c.source and n.at = c.at
    where c.session = {session:Date} and c.implied_volatility > 0
        and c.greeks_at >= c.at - interval 10 minute
        and (c.spot is null or (c.option_right = 'C') = (c.strike >= c.spot))
),
fullest as (
    select symbol, argMax(source, (points, at, source)) as source
    from (select symbol, source, any(at) as at, count() as points from told group by symbol, source)
    group by symbol
),
points as (
    select * from told where (symbol, source) in (select symbol, source from fullest)
),
busiest as (
    select symbol
    from points
    group by symbol
    order by count() desc, symbol
    limit {symbols_max:UInt32}
),
nearest as (
    select symbol, expiry
    from points
    where symbol in (select symbol from busiest)
    group by symbol, expiry
    order by symbol, expiry
    limit {expiries_max:UInt32} by symbol
)
select symbol, expiry, strike, implied_volatility, is_call, spot
from points
where (symbol, expiry) in (select symbol, expiry from nearest)
order by symbol, expiry, strike, is_call
