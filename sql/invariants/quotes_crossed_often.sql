-- Of an instrument's two-sided quotes of a session, few are crossed: a market that is crossed for long was read wrongly.
-- Warning only: a crossed market is quarantined, and real for moments. Of the newest week, from a hundred quotes on.
select session, source, instrument_id, sum(m.two_sided) as two_sided, sum(m.crossed) as crossed
from core.quote_minutes as m
where session >= (select max(session) - 7 from core.quote_minute_rows)
group by session, source, instrument_id
having two_sided >= 100 and crossed > 0.01 * two_sided
limit 100
