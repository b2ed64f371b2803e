-- An index that was told in any of the five sessions before is told in this one, once it is over.
with told as (
    select v.index_name as index_name, groupUniqArray(v.session) as days
    from core.volatility as v
    where v.session in {nearby:Array(Date)}
    group by v.index_name
),
asked as (
    select h.1 as session, toInt64(indexOf({nearby:Array(Date)}, h.1)) as place
    from (select arrayJoin(arrayZip({sessions:Array(Date)}, {closes:Array(DateTime64(6, 'UTC'))})) as h)
    where h.2 <= {upto:DateTime64(6, 'UTC')}
)
select
    concat(t.index_name, ' ', toString(a.session), ': no reading, the last was of ',
        toString(arrayMax(arrayFilter(day -> day < a.session, t.days)))) as what,
    1 as wrong
from told as t
cross join asked as a
where not has(t.days, a.session)
    and hasAny(t.days, arraySlice({nearby:Array(Date)}, greatest(1, a.place - 5), least(5, a.place - 1)))
order by a.session, t.index_name
