-- Files that could be read and that touch these sessions, each content once, oldest first.
select *
from
(
    select * from audit.landing_events final
    where state in ('landed', 'reconciled')
        and first_session <= {last:Date} and last_session >= {first:Date}
    order by event_at desc
    limit 1 by sha256
)
order by event_at, name
