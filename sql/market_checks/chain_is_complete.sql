-- Each listed contract of a symbol's last chain until the close has a bid or an offer, and is in the chain at all. After
-- the close offers are taken away; a source whose chains all came then is judged by its last.
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
        count() as contracts,
        countIf(c.bid is null and c.ask is null) as unquoted,
        groupArrayIf(3)(c.instrument_id, c.bid is null and c.ask is null) as first_ones
    from core.chains as c
    inner join newest as n on n.symbol = c.symbol and n.session = c.session and n.source = c.source and n.at = c.at
    where c.session between {first:Date} and {last:Date}
    group by c.symbol, c.session, c.source
)
select
    concat(symbol, ' ', toString(session), ' ', source, ': ', toString(contracts - unquoted), ' quoted of ',
        toString(contracts), ' in the chain', if(listed is null, '', concat(', ', toString(listed), ' listed')),
        if(empty(first_ones), '', concat('; not quoted: ', arrayStringConcat(first_ones, ', ')))) as what,
    unquoted + if(ifNull(listed, 0) > contracts, ifNull(listed, 0) - contracts, 0) as wrong
from counted
where wrong > 0
order by wrong desc, what
