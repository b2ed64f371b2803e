-- A symbol's chain as it was known at a moment: the newest snapshot until then, of each source. The moment is that of the newest
-- chain; write another one into `moment` (and a symbol into the last line) to ask for it.
with
    (select max(at) from core.chain_rows) as moment,
    snapshots as (
        select s.symbol as symbol, s.source as source, max(s.at) as newest_at
        from core.chains as s
        where s.at <= moment
        group by symbol, source
    )
select
    c.symbol as symbol, c.source as source, c.at as at, dateDiff('second', c.at, moment) as age_s, c.expiry as expiry, c.strike as strike,
    c.option_right as option_right, c.quoted_at as quoted_at, c.quote_age_s as quote_age_s, c.bid as bid, c.ask as ask, c.last as last, c.volume as volume, c.open_interest as open_interest,
    c.implied_volatility as implied_volatility, c.delta as delta, c.gamma as gamma, c.spot as spot
from core.chains as c
where (c.symbol, c.source, c.at) in (select symbol, source, newest_at from snapshots)
order by symbol, source, expiry, strike, option_right
