-- A load that stands has the rows that it counted. Of the kinds whose rows never replace one another, of the
-- newest week of loading.
with newest as (
    select load_id, session from core.current_market_loads where loaded_at > now() - interval 7 day
),
stored as (
    select 'quote' as kind, session, source, load_id, count() as rows from core.quotes where load_id in (select load_id from newest) and session in (select session from newest) group by session, source, load_id
    union all
    select 'trade' as kind, session, source, load_id, count() as rows from core.trades where load_id in (select load_id from newest) and session in (select session from newest) group by session, source, load_id
    union all
    select 'chain' as kind, session, source, load_id, count() as rows from core.chains where load_id in (select load_id from newest) and session in (select session from newest) group by session, source, load_id
    union all
    select 'depth' as kind, session, source, load_id, count() as rows from core.depth where load_id in (select load_id from newest) and session in (select session from newest) group by session, source, load_id
)
select l.kind as kind, l.session as session, l.source as source, l.rows as counted, s.rows as stored
from core.current_market_loads as l
left join stored as s on s.kind = l.kind and s.load_id = l.load_id
where l.kind in ('quote', 'trade', 'chain', 'depth') and l.rows != s.rows and l.loaded_at > now() - interval 7 day
limit 100
