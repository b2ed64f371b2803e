-- At which prices was traded, by symbol and session, each print once? Fifty rungs between the session's lowest and highest price of the
-- underlying; is_point_of_control marks the rung with most volume. signed_volume is bought less sold, by aggressor.
with ranges as (
    select symbol, session, min(low) as lowest, greatest((max(high) - min(low)) / 50, toDecimal64(0.01, 8)) as rung
    from core.trade_minutes_once
    where not startsWith(instrument_id, 'OPT:')
    group by symbol, session
),
rungs as (
    select
        t.symbol as symbol, t.session as session,
        toUInt32(floor(toFloat64(t.price - r.lowest) / toFloat64(r.rung) + 1e-9)) as number,
        any(r.lowest) as lowest, any(r.rung) as rung,
        sum(t.size) as volume, count() as trades,
        sumIf(t.size, t.aggressor = 'buy') - sumIf(t.size, t.aggressor = 'sell') as signed_volume
    from core.trades_once as t
    inner join ranges as r on r.symbol = t.symbol and r.session = t.session
    where not startsWith(t.instrument_id, 'OPT:')
    group by symbol, session, number
)
select
    symbol, session,
    lowest + rung * number as from_price,
    trades, volume, signed_volume,
    round(100 * toFloat64(volume) / sum(toFloat64(volume)) over (partition by symbol, session), 2) as volume_percent,
    volume = max(volume) over (partition by symbol, session) as is_point_of_control
from rungs
order by session desc, symbol, from_price
