-- A call and a put of one strike and expiry cannot be farther apart than the share, the strike, interest and dividends allow:
-- S e^(-qT) - K <= C - P <= S - K e^(-rT), for European and American exercise alike. Judged on the side of the spread that
-- would have to be paid, so that a wide quote is no fault, and only where both were quoted within minutes of the chain.
with pairs as (
    select
        c.symbol as symbol, c.session as session, c.at as at, c.source as source, c.trading_class as trading_class,
        c.expiry as expiry, c.strike as strike,
        toFloat64(any(c.spot)) as spot,
        toFloat64(anyIf(c.bid, c.option_right = 'C')) as call_bid,
        toFloat64(anyIf(c.ask, c.option_right = 'C')) as call_ask,
        toFloat64(anyIf(c.bid, c.option_right = 'P')) as put_bid,
        toFloat64(anyIf(c.ask, c.option_right = 'P')) as put_ask,
        (dateDiff('day', c.session, c.expiry) + 1) / 365 as years
    from core.chains as c
    where c.session between {first:Date} and {last:Date} and c.spot > 0 and c.bid is not null and c.ask is not null
        and c.quoted_at >= c.at - toIntervalMinute({fresh_min:UInt32})
    group by c.symbol, c.session, c.at, c.source, c.trading_class, c.expiry, c.strike
    having uniqExact(c.option_right) = 2
),
judged as (
    select
        *,
        toFloat64(strike) as k,
        call_bid - put_ask - (spot - k * exp(-{rate_max:Float64} * years)) as above,
        spot * exp(-{dividend_max:Float64} * years) - k - (call_ask - put_bid) as below
    from pairs
)
select
    concat(symbol, ' ', trading_class, ' ', toString(expiry), ' ', toString(strike), ' of ', toString(at), ': off by ',
        toString(round(greatest(above, below), 2)), ', ', source) as what,
    1 as wrong
from judged
where greatest(above, below) > {parity_slack:Float64} * spot
order by greatest(above, below) desc, what
