-- Fills of sessions that were listened to and that the Activity statement tells: what only one of both told, or told with
-- another quantity, price or side. A bust that the statement tells takes the fill away on its side.
with listened as (
    select distinct venue, account, toDate(end_at, 'America/New_York') as session
    from core.coverage
    where venue = 'ibkr' and source = 'same_day' and end_at >= toDateTime({first:Date})
),
told_days as (
    select distinct venue, account, arrayJoin(arrayMap(n -> from_date + n, range(toUInt32(to_date - from_date) + 1))) as session
    from core.broker_statements
    where venue = 'ibkr' and kind = 'activity' and to_date >= {first:Date} and from_date <= {last:Date}
),
compared as (
    select venue, account, session
    from listened
    where session between {first:Date} and {last:Date}
        and (venue, account, session) in (select venue, account, session from told_days)
),
versions as (
    select
        r.venue as venue, r.account as account, r.session as session, r.fill_id as fill_id, r.fill_ts as fill_ts,
        r.source = 'statement' as is_statement, r.revision as revision, toString(r.source) as source,
        concat(leftPad(toString(r.revision), 10, '0'), toString(toInt8(r.source)), r.content_hash) as rank,
        tuple(toString(r.side), r.quantity, r.price) as figures
    from core.fill_revisions as r
    where r.source in ('live', 'same_day', 'statement') and r.kind = 'trade' and r.exec_id != ''
        and (r.venue, r.account, r.session) in (select venue, account, session from compared)
),
sides as (
    select
        v.venue as venue, v.account as account, v.fill_id as fill_id,
        max(v.session) as session,
        max(v.fill_ts) as fill_ts,
        countIf(v.is_statement) > 0 as in_statement,
        countIf(not v.is_statement) > 0 as told_live,
        argMaxIf(v.figures, v.rank, v.is_statement) as by_statement,
        argMaxIf(v.figures, v.rank, not v.is_statement) as by_live
    from versions as v
    group by v.venue, v.account, v.fill_id
),
covered as ( -- each answer begins at midnight, so of a day the longest one says it all
    select
        i.venue as venue,
        i.account as account,
        toDate(i.end_at, 'America/New_York') as session,
        min(i.start_at) as start_at,
        max(i.end_at) as end_at
    from core.coverage as i
    where i.venue = 'ibkr' and i.source = 'same_day' and i.end_at >= toDateTime({first:Date})
    group by i.venue, i.account, session
)
select
    s.account as account,
    s.session as session,
    s.fill_id as fill_id,
    s.fill_ts as fill_ts,
    multiIf(not s.told_live, 'missing', not s.in_statement, 'not_in_statement', 'differs') as fault,
    not (s.fill_ts >= c.start_at and s.fill_ts < c.end_at) as in_hole,
    multiIf(
        not s.told_live, concat('statement: ', toString(s.by_statement)),
        not s.in_statement, concat('live: ', toString(s.by_live)),
        concat('live: ', toString(s.by_live), ', statement: ', toString(s.by_statement))) as told
from sides as s
left join covered as c on c.venue = s.venue and c.account = s.account and c.session = s.session
left join (
    select venue, account, fill_id from core.fills
    where busted and (venue, account, session) in (select venue, account, session from compared)
) as b on b.venue = s.venue and b.account = s.account and b.fill_id = s.fill_id
where (not s.told_live or not s.in_statement or s.by_live != s.by_statement) and b.fill_id = ''
order by s.session desc, s.account, s.fill_ts, s.fill_id
limit {most:UInt32}
