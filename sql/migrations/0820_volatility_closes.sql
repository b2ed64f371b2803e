-- Which close of a volatility index is the record, and which readings are the course of its day.

-- A session's close may stand in core.volatility several times: the last reading that was heard live, the line of the
-- exchange's daily history as the poller told it, and the same line as a load brought it. All of them stay; who asks for a
-- close or for a course asks these views, and everybody picks by one rule.

-- Grain: one index and session: its close. The exchange's history is the record, a load of it before what the poller told
-- of it; where the history has no such session yet, the last reading by the market's time, then by its judgement.
create or replace view core.volatility_closes as
select
    index_name, session, at, value, told_by, told_by = 'cboe_history' as is_settled, regime, judged_at, change_5m, change_1h,
    z_score, samples, reason, source, heard_at, load_id, entry_ms, entry_seq, place
from core.volatility
order by is_settled desc, load_id desc, at desc, judged_at desc, entry_ms desc, entry_seq desc, place desc
limit 1 by index_name, session;

-- Grain: one reading of the course of an index. Of a session that was listened to these are the readings of the day, without
-- the closes that the history told afterwards; of any other session it is the close.
create or replace view core.volatility_course as
with heard as (
    select distinct index_name, session from core.volatility where told_by != 'cboe_history'
)
select
    index_name, session, at, value, told_by, told_by = 'cboe_history' as is_settled, regime, judged_at, change_5m, change_1h,
    z_score, samples, reason, source, heard_at, load_id, entry_ms, entry_seq, place
from core.volatility
where told_by != 'cboe_history'
union all
select
    index_name, session, at, value, told_by, is_settled, regime, judged_at, change_5m, change_1h, z_score, samples, reason,
    source, heard_at, load_id, entry_ms, entry_seq, place
from core.volatility_closes
where (index_name, session) not in (select index_name, session from heard);
