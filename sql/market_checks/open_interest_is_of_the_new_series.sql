-- From the day of a split on open interest belongs to the adjusted series. Open interest of a series that nobody quotes, and
-- that the chain has under its new strike too, is stale: it is that of the morning before the split.
with splits as (
    select s.1 as symbol, s.2 as effective, s.3 as ratio
    from (select arrayJoin(arrayZip({split_symbols:Array(String)}, {split_days:Array(Date)}, {split_ratios:Array(Float64)})) as s)
),
contracts as (
    select
        c.symbol as symbol, c.session as session, c.source as source, c.trading_class as trading_class, c.expiry as expiry,
        c.option_right as option_right, c.strike as strike, c.instrument_id as instrument_id,
        argMax(c.open_interest, c.at) as open_interest,
        argMax(c.bid is null and c.ask is null, c.at) as is_unquoted,
        any(s.ratio) as ratio
    from core.chains as c
    inner join splits as s on s.symbol = c.symbol
    where c.session between {first:Date} and {last:Date}
        and c.session between s.effective and s.effective + {split_days_around:UInt16}
    group by symbol, session, source, trading_class, expiry, option_right, strike, instrument_id
)
select
    concat(instrument_id, ' ', toString(session), ': open interest ', toString(open_interest), ' of before the split, ', source) as what,
    1 as wrong
from contracts
where open_interest > 0 and is_unquoted
    and (symbol, session, source, trading_class, expiry, option_right, toInt64(round(toFloat64(strike) * 100 / ratio))) in (
        select symbol, session, source, trading_class, expiry, option_right, toInt64(round(toFloat64(strike) * 100))
        from contracts
    )
order by open_interest desc, what
