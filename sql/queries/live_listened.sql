-- The account sessions to which the broker session listened (an answer about executions covers some of the day), newest
-- first, and whether an Activity statement tells them.
with listened as (
    select account, toDate(end_at, 'America/New_York') as session
    from core.coverage
    where venue = 'ibkr' and source = 'same_day' and end_at >= toDateTime({first:Date})
    group by account, session
),
told_days as (
    select distinct account, arrayJoin(arrayMap(n -> from_date + n, range(toUInt32(to_date - from_date) + 1))) as session
    from core.broker_statements
    where venue = 'ibkr' and kind = 'activity' and to_date >= {first:Date} and from_date <= {last:Date}
)
select account, session, (account, session) in (select account, session from told_days) as has_statement
from listened
where session between {first:Date} and {last:Date}
order by session desc, account
limit {most:UInt32}
