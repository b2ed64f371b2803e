-- The minutes hold as many quotes as the rows they were made of. Of the newest week, once nothing was stored for two minutes.
with told as (
    select session, source, load_id, count() as quotes
    from core.quotes
    where session >= (select max(session) - 7 from core.quote_rows)
    group by session, source, load_id
),
rolled_up as (
    select session, source, load_id, sum(m.quotes) as quotes
    from core.quote_minutes as m
    where session >= (select max(session) - 7 from core.quote_rows)
    group by session, source, load_id
)
select t.session as session, t.source as source, t.quotes as quotes, r.quotes as in_minutes
from told as t
left join rolled_up as r on r.session = t.session and r.source = t.source and r.load_id = t.load_id
where t.quotes != r.quotes
    and (select max(stored_at) from core.quote_rows where session >= (select max(session) - 7 from core.quote_rows)) < now() - interval 2 minute
limit 100
