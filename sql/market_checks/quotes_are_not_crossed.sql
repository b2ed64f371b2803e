-- A bid stands below its offer. Real tapes have moments in which it does not; each is named, none is taken away.
select
    concat(q.instrument_id, ' ', toString(q.at), ': ', toString(q.bid), ' over ', toString(q.ask), ', ', q.source) as what,
    1 as wrong
from core.quotes as q
where q.session between {first:Date} and {last:Date} and q.bid > q.ask
order by q.at, what
