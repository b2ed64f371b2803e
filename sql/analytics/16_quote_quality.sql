-- How good are the quotes, by symbol, session and source? Shares are of all quotes; a crossed or locked quote stops signals, a
-- one-sided one has no midpoint. spread_bps weighs each two-sided quote alike, instruments of all prices together.
select
    m.symbol as symbol,
    m.session as session,
    m.source as source,
    uniqExact(m.instrument_id) as instruments,
    sum(m.quotes) as quotes,
    round(100 * (1 - sum(m.two_sided) / sum(m.quotes)), 3) as one_sided_percent,
    round(100 * sum(m.locked) / sum(m.quotes), 3) as locked_percent,
    round(100 * sum(m.crossed) / sum(m.quotes), 3) as crossed_percent,
    round(1e4 * sum(toFloat64(m.spread_average) * m.two_sided / ((toFloat64(m.open) + toFloat64(m.close)) / 2)) / sum(m.two_sided), 2) as spread_bps,
    min(m.minute) as first_minute,
    max(m.minute) as last_minute
from core.quote_minutes as m
group by symbol, session, source
order by session desc, symbol, source
