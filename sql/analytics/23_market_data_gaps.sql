-- Which weekdays between a source's first and last session have no rows of a kind that it tells otherwise? On a day on which some
-- other kind or source has rows, the exchange was open and something is missing; the others were closed, or nobody listened
-- (`missing_of_all`). minutes_missing counts, on days with rows, the minutes of 09:30 to 16:00 without a quote of the underlying.
with
    present as (
        select 'quotes' as kind, source, session from core.quote_minutes group by source, session
        union all select 'trades' as kind, source, session from core.trade_minutes group by source, session
        union all select 'bars' as kind, source, session from core.bars group by source, session
        union all select 'chains' as kind, source, session from core.chain_rows where load_id = 0 or load_id in (select load_id from core.current_market_loads) group by source, session
    ),
    days as (
        select kind, source, arrayJoin(arrayMap(n -> first_day + n, range(toUInt32(dateDiff('day', first_day, last_day) + 1)))) as session
        from (select kind, source, min(session) as first_day, max(session) as last_day from present group by kind, source)
    ),
    thin as (
        select source, session, 390 - uniqExact(minute) as minutes_missing
        from core.quote_minutes
        where not startsWith(instrument_id, 'OPT:')
            and formatDateTime(minute, '%H:%i', 'America/New_York') >= '09:30' and formatDateTime(minute, '%H:%i', 'America/New_York') < '16:00'
        group by source, session, symbol
        having minutes_missing > 0
    )
select kind, source, session, session in (select session from present) as is_missing, not is_missing as missing_of_all, 0 as minutes_missing
from days
where toDayOfWeek(session) <= 5 and (kind, source, session) not in (select kind, source, session from present)
union all
select 'quotes' as kind, source, session, false as is_missing, false as missing_of_all, max(minutes_missing) as minutes_missing
from thin
group by source, session
order by session desc, kind, source
