-- How wide is the spread over the day (New York), of the underlyings themselves? Averaged over sessions, each quote alike; each
-- minute as one source told it.
select
    symbol,
    formatDateTime(minute, '%H:%i', 'America/New_York') as minute_of_day,
    uniqExact(session) as sessions,
    sum(two_sided) as quotes,
    round(sum(toFloat64(spread_average) * two_sided) / sum(two_sided), 6) as spread,
    round(1e4 * sum(toFloat64(spread_average) * two_sided / ((toFloat64(open) + toFloat64(close)) / 2)) / sum(two_sided), 3) as spread_bps,
    arraySort(groupUniqArray(source)) as sources
from core.quote_minutes_once
where two_sided > 0 and not startsWith(instrument_id, 'OPT:')
group by symbol, minute_of_day
order by symbol, minute_of_day
