-- Around a split a series may be told under its old strike and its new one at once; then everything summed over the chain is
-- doubled. The first name is the old series, the second the new one.
with splits as (
    select s.1 as symbol, s.2 as effective, s.3 as ratio
    from (select arrayJoin(arrayZip({split_symbols:Array(String)}, {split_days:Array(Date)}, {split_ratios:Array(Float64)})) as s)
),
series as (
    select distinct c.symbol as symbol, c.session as session, c.source as source, c.trading_class as trading_class,
        c.expiry as expiry, c.option_right as option_right, c.strike as strike, c.instrument_id as instrument_id,
        s.ratio as ratio
    from core.chains as c
    inner join splits as s on s.symbol = c.symbol
    where c.session between {first:Date} and {last:Date}
        and c.session between s.effective - {split_days_around:UInt16} and s.effective + {split_days_around:UInt16}
)
select
    concat(old.instrument_id, ' is also ', new.instrument_id, ', ', toString(old.session), ' ', old.source) as what,
    1 as wrong
from series as old
inner join series as new
    on new.symbol = old.symbol and new.session = old.session and new.source = old.source
    and new.trading_class = old.trading_class and new.expiry = old.expiry and new.option_right = old.option_right
    and toInt64(round(toFloat64(new.strike) * 100)) = toInt64(round(toFloat64(old.strike) * 100 / old.ratio))
where old.strike != new.strike
order by what
