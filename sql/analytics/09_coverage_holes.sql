-- On which days between an account's first and last fill does no source say that it told everything? Each is a hole to be
-- filled, or a day on which the exchange was closed.
with days as (
    select venue, account, arrayJoin(arrayMap(n -> addDays(first_day, n), range(toUInt32(days_between + 1)))) as day
    from
    (
        select venue, account, toDate(min(fill_ts)) as first_day, dateDiff('day', min(fill_ts), max(fill_ts)) as days_between
        from core.fills
        group by venue, account
    )
),
covered as (
    select distinct venue, account,
        arrayJoin(arrayMap(n -> addDays(toDate(start_at), n), range(toUInt32(dateDiff('day', start_at, end_at) + 1)))) as day
    from core.coverage
)
select venue, account, day
from days
where toDayOfWeek(day) <= 5 and (venue, account, day) not in (select venue, account, day from covered)
order by venue, account, day
