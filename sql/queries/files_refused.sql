-- Files of the inbox that were refused and not mended since, newest first.
select name, reason, event_at
from audit.landed_files
where state = 'refused'
order by event_at desc, name
limit {rows_max:UInt32}
