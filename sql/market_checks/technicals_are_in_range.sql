-- Indicators that no prices can have: RSI outside of 0 to 100, an average range below zero, bands out of their order.
with judged as (
    select
        t.symbol as symbol, t.indicator as indicator, t.at as at, t.source as source,
        multiIf(
            arrayExists(figure -> not isFinite(figure), mapValues(t.figures)), 'no number',
            t.indicator = 'RSI' and (t.figures['rsi'] < 0 or t.figures['rsi'] > 100), concat('RSI ', toString(t.figures['rsi'])),
            t.indicator = 'ATR' and t.figures['atr'] < 0, concat('ATR ', toString(t.figures['atr'])),
            t.indicator = 'BBANDS' and (t.figures['lower'] > t.figures['middle'] or t.figures['middle'] > t.figures['upper']),
                'bands out of order',
            '') as fault
    from core.technicals as t
    where t.session between {first:Date} and {last:Date}
)
select
    concat(symbol, ' ', toString(at), ': ', fault, ', ', source) as what,
    1 as wrong
from judged
where fault != ''
order by at, what
