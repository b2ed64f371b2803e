-- Who had bars of minutes in any of the five sessions before has some in this one, once it is over: a share or an index of which
-- nobody told a bar all day is a gap against the calendar. A session in which it is told in part is another check's.
with told as (
    select b.symbol as symbol, groupUniqArray(b.session) as days
    from core.bars as b
    where b.session in {nearby:Array(Date)} and b.seconds = 60 and b.bar_of = 'trades'
        and (startsWith(b.instrument_id, 'STK:') or startsWith(b.instrument_id, 'IND:'))
    group by b.symbol
),
asked as (
    select h.1 as session, toInt64(indexOf({nearby:Array(Date)}, h.1)) as place
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
    where h.2 <= {upto:DateTime64(6, 'UTC')}
)
select
    concat(t.symbol, ' ', toString(a.session), ': no bars of minutes, the last were of ',
        toString(arrayMax(arrayFilter(day -> day < a.session, t.days)))) as what,
    1 as wrong
from told as t
cross join asked as a
where not has(t.days, a.session)
    and hasAny(t.days, arraySlice({nearby:Array(Date)}, greatest(1, a.place - 5), least(5, a.place - 1)))
order by a.session, t.symbol
