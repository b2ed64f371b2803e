-- A print has one place in its source: two with one instrument, moment and ordinal are one print told twice.
select
    concat(t.instrument_id, ' ', toString(t.at), ' number ', toString(t.ordinal), ': ', toString(count()), ' times, ', t.source) as what,
    count() - 1 as wrong
from core.trades as t
where t.session between {first:Date} and {last:Date}
group by t.instrument_id, t.at, t.ordinal, t.source
having count() > 1
order by what
