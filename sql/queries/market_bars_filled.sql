-- Bars of some sessions by who has them: told live, told by a history alone (a gap of the live capture that it fills), by both.
with told as (
    select
        b.session as session,
        max(b.load_id = 0) as is_live,
        max(b.load_id != 0) as is_loaded
    from core.bars as b
    where b.session between {first:Date} and {last:Date}
    group by b.session, b.instrument_id, b.at, b.seconds, b.bar_of
)
select
    session,
    countIf(is_live and not is_loaded) as live_only,
    countIf(is_loaded and not is_live) as filled,
    countIf(is_live and is_loaded) as both
from told
group by session
order by session
