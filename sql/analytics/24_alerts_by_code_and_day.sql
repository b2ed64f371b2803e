-- What had to be seen, by code and day? What varies in a code (a symbol, an id, a time) comes after its first dash and is left out.
-- still_open counts conditions that nobody said to be over; an event has no end.
select
    toDate(raised_at) as day,
    splitByChar('-', code)[1] as code_begins,
    count() as alerts,
    arraySort(groupUniqArray(component)) as components,
    min(raised_at) as first_at,
    max(raised_at) as last_at,
    countIf(kind = 'condition' and resolved_at is null) as still_open,
    maxIf(dateDiff('second', raised_at, resolved_at), resolved_at is not null) as longest_s
from audit.alerts
group by day, code_begins
order by day desc, alerts desc, code_begins
