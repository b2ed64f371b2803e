-- A chain holds contracts that can still trade: one that expired before the session is left from an older list. An expiry on a
-- Saturday, as before 2015, is after its last session and no fault.
select
    concat(c.instrument_id, ' in the chain of ', toString(c.session), if(max(c.open_interest) > 0,
        concat(', open interest ', toString(max(c.open_interest))), ''), ', ', c.source) as what,
    1 as wrong
from core.chains as c
where c.session between {first:Date} and {last:Date} and c.expiry < c.session
group by c.instrument_id, c.session, c.source
order by max(c.open_interest) desc, what
