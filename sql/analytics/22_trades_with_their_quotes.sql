-- Which quote stood when a trade printed, and what did crossing cost? For each symbol and session of the underlyings: the shares
-- at, inside and outside the spread, the effective spread (twice the distance to the midpoint), and how often the side that
-- the print was given agrees with that quote. A quote of the same moment counts as standing. Each print and quote once, whoever told it.
with quoted as (
    select symbol, session, instrument_id, at, bid, ask
    from core.quotes_once
    where bid is not null and ask is not null and ask > bid and not startsWith(instrument_id, 'OPT:')
),
joined as (
    select
        t.symbol as symbol, t.session as session, t.price as price, t.size as size, t.aggressor as aggressor,
        assumeNotNull(q.bid) as bid, assumeNotNull(q.ask) as ask, dateDiff('millisecond', q.at, t.at) as quote_age_ms
    from core.trades_once as t
    asof inner join quoted as q
        on q.symbol = t.symbol and q.session = t.session and q.instrument_id = t.instrument_id and q.at <= t.at
    where not startsWith(t.instrument_id, 'OPT:')
)
select
    symbol, session,
    count() as trades,
    round(100 * countIf(price = bid or price = ask) / count(), 2) as at_quote_percent,
    round(100 * countIf(price > bid and price < ask) / count(), 2) as inside_percent,
    round(100 * countIf(price < bid or price > ask) / count(), 2) as outside_percent,
    round(2 * sum(abs(toFloat64(price) - toFloat64(bid + ask) / 2) * toFloat64(size)) / sum(toFloat64(size)), 6) as effective_spread,
    round(sum(toFloat64(ask - bid) * toFloat64(size)) / sum(toFloat64(size)), 6) as quoted_spread,
    round(100 * countIf((aggressor = 'buy' and price * 2 > bid + ask) or (aggressor = 'sell' and price * 2 < bid + ask))
        / greatest(countIf(aggressor != 'unknown' and price * 2 != bid + ask), 1), 2) as side_agrees_percent,
    quantileExact(0.5)(quote_age_ms) as quote_age_ms
from joined
group by symbol, session
order by session desc, symbol
