-- The prints of one instrument and session come from one source: what is told live and by a file stands in core.trades twice, and
-- is to be read from core.trades_once.
select
    concat(t.instrument_id, ' ', toString(t.session), ': ', arrayStringConcat(arraySort(groupUniqArray(t.source)), ' and ')) as what,
    1 as wrong
from core.trades as t
where t.session between {first:Date} and {last:Date}
group by t.instrument_id, t.session
having uniqExact(t.source) > 1
order by what
