-- Model values that no option can have: a volatility of nothing or beyond the bound, a delta of the wrong sign or above one,
-- a gamma or vega below zero. Contracts without model values are not looked at.
with judged as (
    select
        c.instrument_id as instrument_id, c.session as session, c.at as at, c.source as source,
        multiIf(
            not isFinite(c.implied_volatility) or c.implied_volatility <= 0 or c.implied_volatility > {volatility_max:Float64},
                concat('implied volatility ', toString(c.implied_volatility)),
            c.option_right = 'C' and (c.delta < -{greeks_slack:Float64} or c.delta > 1 + {greeks_slack:Float64}), concat('delta ', toString(c.delta)),
            c.option_right = 'P' and (c.delta > {greeks_slack:Float64} or c.delta < -1 - {greeks_slack:Float64}), concat('delta ', toString(c.delta)),
            c.gamma < -{greeks_slack:Float64}, concat('gamma ', toString(c.gamma)),
            c.vega < -{greeks_slack:Float64}, concat('vega ', toString(c.vega)),
            '') as fault
    from core.chains as c
    where c.session between {first:Date} and {last:Date} and c.implied_volatility is not null
)
select
    concat(instrument_id, ' ', toString(at), ': ', fault, ', ', source) as what,
    1 as wrong
from judged
where fault != ''
order by at, what
