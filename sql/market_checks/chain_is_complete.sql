-- What was to be looked at of a symbol's chain is in its last chain until the close, with a bid or an offer. A login's lines allow a
-- part of what is listed: then the chain is judged by that part, and how many are outside is said. Who says of no part is judged by
-- what is listed. After the close offers are taken away; a source whose chains all came then is judged by its last.
with hours as (
    select
        h.1 as session,
        h.2 as closes
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
),
newest as (
    select
        c.symbol as symbol, c.session as session, c.source as source, argMax(c.at, (c.at <= h.closes, c.at)) as at
    from core.chains as c
    inner join hours as h on h.session = c.session
    where c.session between {first:Date} and {last:Date}
    group by c.symbol, c.session, c.source
),
counted as (
    select
        c.symbol as symbol,
        c.session as session,
        c.source as source,
        any(c.listed) as listed,
        any(c.watched) as watched,
        count() as contracts,
        countIf(c.bid is null and c.ask is null) as unquoted,
        round(quantileExact(0.5)(c.quote_age_s)) as middle_age_s,
        round(max(c.quote_age_s)) as oldest_age_s,
        groupArrayIf(3)(c.instrument_id, c.bid is null and c.ask is null) as first_ones
    from core.chains as c
    inner join newest as n on n.symbol = c.symbol and n.session = c.session and n.source = c.source and n.at = c.at
    where c.session between {first:Date} and {last:Date}
    group by c.symbol, c.session, c.source
),
judged as (
    select
        *,
        coalesce(watched, listed, contracts) as wanted,
        if(wanted > contracts, wanted - contracts, 0) as missing,
        if(ifNull(listed, 0) > ifNull(watched, wanted), ifNull(listed, 0) - ifNull(watched, wanted), 0) as outside,
        concat(symbol, ' ', toString(session), ' ', source, ': ', toString(contracts - unquoted), ' quoted of ',
            toString(contracts), ' in the chain',
            if(watched is null, '', concat(', ', toString(watched), ' watched')),
            if(listed is null, '', concat(', ', toString(listed), ' listed')),
            '; quotes ', toString(middle_age_s), ' s old in the middle, ', toString(oldest_age_s), ' s at most') as words
    from counted
)
select
    concat(words,
        if(missing > 0 and watched is not null, concat('; ', toString(missing), ' watched ones were not looked at yet'), ''),
        if(empty(first_ones), '', concat('; not quoted: ', arrayStringConcat(first_ones, ', ')))) as what,
    unquoted + missing as wrong, 0 as judged, 0 as not_judged, toFloat64(wrong) as rank
from judged
where wrong > 0
union all
select
    concat(words, '; ', toString(outside), ' outside of what is watched') as what,
    0 as wrong, wanted as judged, outside as not_judged, toFloat64(outside) as rank
from judged
order by wrong > 0 desc, rank desc, what
