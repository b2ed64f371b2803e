-- When was which regime, how long, and how high was the index? A row is a run of readings that were judged alike;
-- of a session that nobody listened to, the close of the exchange's history is its one reading.
with judged as (
    select
        index_name, judged_at, value, told_by, regime, entry_ms, entry_seq, place,
        regime != lagInFrame(regime, 1, '') over (
            partition by index_name order by judged_at, entry_ms, entry_seq, place rows between unbounded preceding and current row) as is_change
    from core.volatility_course
),
numbered as (
    select *, sum(is_change) over (partition by index_name order by judged_at, entry_ms, entry_seq, place rows between unbounded preceding and current row) as run
    from judged
)
select
    index_name,
    regime,
    min(judged_at) as from_at,
    max(judged_at) as until_at,
    dateDiff('minute', from_at, until_at) as minutes,
    count() as readings,
    min(value) as lowest,
    max(value) as highest,
    arraySort(groupUniqArray(told_by)) as told_by
from numbered
group by index_name, run, regime
order by index_name, from_at desc
