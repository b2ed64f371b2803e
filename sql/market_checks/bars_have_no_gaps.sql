-- Every minute of the session has a bar of each share and index that has bars of minutes, from one source or another.
-- Options trade when they trade, so a minute without one is no gap.
with hours as (
    select
        h.1 as session,
        h.2 as opens,
        h.3 as closes
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {opens:Array(DateTime64(6, 'UTC'))}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
),
told as (
    select
        b.session as session,
        b.instrument_id as instrument_id,
        groupUniqArray(toUnixTimestamp(toStartOfMinute(b.at))) as minutes
    from core.bars as b
    where b.session between {first:Date} and {last:Date} and b.seconds = 60 and b.bar_of = 'trades'
        and (startsWith(b.instrument_id, 'STK:') or startsWith(b.instrument_id, 'IND:'))
    group by b.session, b.instrument_id
),
missing as (
    select
        t.session as session,
        t.instrument_id as instrument_id,
        arrayFilter(
            minute -> not has(t.minutes, minute),
            range(toUnixTimestamp(h.opens), least(toUnixTimestamp(h.closes), toUnixTimestamp({upto:DateTime64(6, 'UTC')})), 60)
        ) as gaps
    from told as t
    inner join hours as h on h.session = t.session
)
select
    concat(instrument_id, ' ', toString(session), ': ', toString(length(gaps)), ' minutes without a bar, the first at ',
        formatDateTime(toDateTime(gaps[1], 'UTC'), '%H:%i'), ' UTC') as what,
    length(gaps) as wrong
from missing
where notEmpty(gaps)
order by wrong desc, what
