-- Files that landed and whose sessions have not been reconciled since, oldest first.
select *
from
(
    select * from audit.landing_events final
    order by event_at desc, state desc
    limit 1 by sha256
)
where state = 'landed'
order by event_at, name
