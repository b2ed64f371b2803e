-- A call and a put of one strike and expiry cannot be farther apart than the share, the strike, interest and dividends allow:
-- S e^(-qT) - K <= C - P <= S - K e^(-rT), for European and American exercise alike. Judged on the side of the spread that
-- would have to be paid, so that a wide quote is no fault.
-- It says something of one moment only. So a pair is judged where call, put and underlying are of times at most apart_s from one
-- another; all other pairs are counted as not judged, with how far apart they are. The same two quotes stand in many snapshots of a
-- chain: they are one pair, judged by the price of the underlying that the broker's model took with the quote; where nobody told
-- such a price then, by the spot of the first of these snapshots, which may itself stand still.
with legs as (
    select
        c.symbol as symbol, c.session as session, c.source as source, c.trading_class as trading_class, c.expiry as expiry,
        c.strike as strike, c.at as at,
        anyIf(c.quoted_at, c.option_right = 'C') as call_at,
        anyIf(c.quoted_at, c.option_right = 'P') as put_at,
        toFloat64(any(c.spot)) as spot,
        toFloat64(anyIf(c.bid, c.option_right = 'C')) as call_bid,
        toFloat64(anyIf(c.ask, c.option_right = 'C')) as call_ask,
        toFloat64(anyIf(c.bid, c.option_right = 'P')) as put_bid,
        toFloat64(anyIf(c.ask, c.option_right = 'P')) as put_ask,
        argMaxIf((c.underlying_price, c.greeks_at), c.greeks_at, c.underlying_price > 0) as model
    from core.chains as c
    where c.session between {first:Date} and {last:Date} and c.spot > 0 and c.bid is not null and c.ask is not null
    group by c.symbol, c.session, c.source, c.trading_class, c.expiry, c.strike, c.at
    having uniqExact(c.option_right) = 2
),
pairs as (
    select
        symbol, session, source, trading_class, expiry, strike, call_at, put_at,
        min(at) as first_at,
        argMin((spot, call_bid, call_ask, put_bid, put_ask, model), at) as first
    from legs
    group by symbol, session, source, trading_class, expiry, strike, call_at, put_at
),
timed as (
    select
        *,
        greatest(call_at, put_at) as newest,
        least(call_at, put_at) as oldest,
        dateDiff('millisecond', oldest, greatest(newest, first_at)) / 1000 as snapshot_s,
        if(tupleElement(first.6, 1) > 0,
            dateDiff('millisecond', least(oldest, assumeNotNull(tupleElement(first.6, 2))),
                greatest(newest, assumeNotNull(tupleElement(first.6, 2)))) / 1000,
            snapshot_s) as model_s,
        tupleElement(first.6, 1) > 0 and model_s <= {apart_s:UInt32} as has_model,
        if(has_model, model_s, snapshot_s) as apart_s,
        if(has_model, assumeNotNull(tupleElement(first.6, 1)), first.1) as underlying,
        (dateDiff('day', session, expiry) + 1) / 365 as years,
        toFloat64(strike) as k
    from pairs
),
judged as (
    select
        *,
        apart_s <= {apart_s:UInt32} as is_judged,
        first.2 - first.5 - (underlying - k * exp(-{rate_max:Float64} * years)) as above,
        underlying * exp(-{dividend_max:Float64} * years) - k - (first.3 - first.4) as below
    from timed
)
select
    concat(symbol, ' ', trading_class, ' ', toString(expiry), ' ', toString(strike), ' of ', toString(newest), ': off by ',
        toString(round(greatest(above, below), 2)), ', ', source) as what,
    1 as wrong, 0 as judged, 0 as not_judged, greatest(above, below) as rank
from judged
where is_judged and greatest(above, below) > {parity_slack:Float64} * underlying
union all
select
    concat(symbol, ' ', toString(session), ' ', source, ': ', toString(judged), ' pairs judged, ', toString(not_judged), ' not judged',
        if(not_judged = 0, '', concat(': quotes ', toString(round(quantileExactIf(0.5)(apart_s, not is_judged))),
            ' s apart in the middle, ', toString(round(maxIf(apart_s, not is_judged))), ' s at most'))) as what,
    0 as wrong, countIf(is_judged) as judged, countIf(not is_judged) as not_judged, toFloat64(not_judged) as rank
from judged
group by symbol, session, source
order by wrong > 0 desc, rank desc, what
