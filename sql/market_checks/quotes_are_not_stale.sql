-- What was quoted in a session is quoted to its end, or nearly: an instrument whose last quote is much older stopped.
-- Of what is heard live only changes come, so a quiet contract may show here; hence a warning.
with hours as (
    select
        h.1 as session,
        h.2 as closes
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
),
ends as (
    select
        q.session as session,
        q.instrument_id as instrument_id,
        max(q.at) as newest
    from core.quotes as q
    where q.session between {first:Date} and {last:Date}
    group by q.session, q.instrument_id
)
select
    concat(e.instrument_id, ' ', toString(e.session), ': last quoted at ', formatDateTime(e.newest, '%H:%i:%S'), ' UTC') as what,
    1 as wrong
from ends as e
inner join hours as h on h.session = e.session
where e.newest < least(h.closes, {upto:DateTime64(6, 'UTC')}) - toIntervalMinute({stale_min:UInt32})
order by e.newest, what
