-- For each account and day in New York: until when did the live capture tell everything, by how many complete answers, and
-- which files told the day since? A day that is short of its close and has no file is a hole.
with live as (
    select account, toDate(end_at, 'America/New_York') as day, max(end_at) as told_until, uniqExact(end_at) as complete_answers
    from core.coverage
    where source = 'same_day'
    group by account, day
),
files as (
    select account, arrayJoin(arrayMap(n -> toDate(start_at, 'America/New_York') + n, range(toUInt32(
        dateDiff('day', toDate(start_at, 'America/New_York'), toDate(end_at - interval 1 second, 'America/New_York')) + 1)))) as day,
        toString(source) as source
    from core.coverage
    where source in ('confirmation', 'statement', 'backfill')
)
select
    l.account as account,
    l.day as day,
    formatDateTime(l.told_until, '%H:%i:%S', 'America/New_York') as told_until_new_york,
    l.complete_answers as complete_answers,
    arraySort(groupUniqArrayIf(f.source, f.source != '')) as told_by_files
from live as l
left join files as f on f.account = l.account and f.day = l.day
group by account, day, l.told_until, l.complete_answers
order by day desc, account
