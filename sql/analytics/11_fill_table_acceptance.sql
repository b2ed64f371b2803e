-- Does the fill table keep its promises? One row for each, with the figure and what it must be: blank ids, uniqueness
-- through the view and before merges, the venue's own counts, times that are not the clock's, repeats that add nothing.
with blank as (
    select countIf(trim(fill_id) = '') as figure from core.fills
),
logical as (
    select if(count() = 0, 1, uniqExact(venue, account, fill_id) / count()) as figure from core.fills
),
physical as (
    select if(count() = 0, 1, uniqExact(venue, account, session, fill_id, revision, source, content_hash) / count()) as figure
    from core.fill_revisions
),
here as (
    select s.statement_id as statement_id, max(s.trade_rows) as told,
        uniqExactIf((r.fill_id, r.revision, r.source, r.content_hash), r.fill_id != '') as kept
    from core.broker_statements as s
    left join (
        select venue, account, fill_id, revision, source, content_hash, trade_date, report_date
        from core.fill_revisions
        where source in ('statement', 'confirmation')
    ) as r on r.venue = s.venue and r.account = s.account
    where (s.venue, s.origin) not in (select venue, origin from audit.rejected_rows where is_trade_row)
        and (r.fill_id = '' or r.trade_date between s.from_date and s.to_date or r.report_date between s.from_date and s.to_date)
    group by s.statement_id
),
stamped as (
    select batch_id
    from core.fills
    where kind = 'trade'
    group by batch_id
    having count() >= 5 and uniqExact(toStartOfSecond(fill_ts)) = 1
        and abs(dateDiff('second', min(fill_ts), min(received_at))) < 120
),
repeated as (
    select batch_id, sum(new_rows) - max(total_rows) as added
    from audit.ingestion_batches
    group by batch_id
    having count() > 1
)
select number, promise, figure, expected, kept
from
(
    select 1 as number, 'blank ids' as promise, toFloat64(figure) as figure, '0' as expected, figure = 0 as kept from blank
    union all
    select 2, 'uniqueness through the view', toFloat64(figure), '1', figure = 1 from logical
    union all
    select 3, 'physical uniqueness before merges', toFloat64(figure), 'above 0.99', figure > 0.99 from physical
    union all
    select 4, 'statements that told more trades than are here', toFloat64(countIf(kept < told)), '0', countIf(kept < told) = 0 from here
    union all
    select 5, 'batches whose fills lie in the second of their arrival', toFloat64(count()), '0', count() = 0 from stamped
    union all
    select 6, 'rows that a repeated batch added', toFloat64(sum(greatest(added, 0))), '0', sum(greatest(added, 0)) = 0 from repeated
)
order by number
