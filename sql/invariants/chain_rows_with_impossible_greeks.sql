-- Model values are such as an option can have: a volatility above zero and below tenfold, a delta between -1 and 1 of the right
-- sign, gamma and vega not negative.
-- Warning only: they are another's estimates. Of the newest week; a hundredth of slack.
select instrument_id, source, at, implied_volatility, delta, gamma, vega
from core.chains
where session >= (select max(session) - 7 from core.chain_rows)
    and (
        not (isNull(implied_volatility) or implied_volatility between 1e-4 and 10)
        or not (isNull(delta) or if(option_right = 'C', delta, -delta) between -0.01 and 1.01)
        or not (isNull(gamma) or gamma >= -0.01)
        or not (isNull(vega) or vega >= -0.01)
    )
limit 100
