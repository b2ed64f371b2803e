-- What was loaded of a past session lies in its hours; options on indexes and broad funds trade 15 minutes longer.
-- Live rows are not looked at: before the opening and after the close they are told as they come.
with hours as (
    select
        h.1 as session,
        h.2 as opens,
        h.3 as closes
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {opens:Array(DateTime64(6, 'UTC'))}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
)
select
    concat(r.instrument_id, ' ', toString(r.at), ' of ', toString(r.session), ', ', r.source) as what,
    1 as wrong
from core.trades as r
inner join hours as h on h.session = r.session
where r.session between {first:Date} and {last:Date} and r.load_id != 0
    and (
        r.at < h.opens
        or r.at >= h.closes + toIntervalMinute(
            if(startsWith(r.instrument_id, 'OPT:') and has({late_symbols:Array(String)}, r.symbol), 15, 0))
    )
order by r.at, what
