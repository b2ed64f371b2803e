-- The venue's own count: of the trade rows of a statement every one is a version that is here, or a rejected row.
-- Warning only: a row of another day that is told again, or told late, is here once and told twice.
select s.venue as venue, s.account as account, s.statement_id as statement_id, s.origin as origin,
    max(s.trade_rows) as told, countIf(r.here = 1) as here
from core.broker_statements as s
left join (
    select distinct venue, account, fill_id, revision, source, content_hash, trade_date, report_date, 1 as here
    from core.fill_revisions
    where source in ('statement', 'confirmation')
) as r on r.venue = s.venue and r.account = s.account
where (s.venue, s.origin) not in (select venue, origin from audit.rejected_rows where is_trade_row)
    and (r.here = 0 or r.trade_date between s.from_date and s.to_date or r.report_date between s.from_date and s.to_date)
group by s.venue, s.account, s.statement_id, s.origin
having countIf(r.here = 1) < max(s.trade_rows)
limit 100
