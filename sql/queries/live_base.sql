-- The books that live positions start from: the last session that a final statement settled. Where none ever did, the
-- session before the last one computed, whose fills are all told; with a single one computed, that.
with finals as (
    select session
    from core.sign_offs
    where venue = {venue:String} and account = {account:String} and pass = 'final'
),
runs as (
    select session, run_id, base_currency, row_number() over (order by session desc) as place
    from core.current_pnl_runs
    where venue = {venue:String} and account = {account:String}
)
select session, run_id, base_currency, session in (select session from finals) as is_final
from runs
order by is_final desc, if(is_final, 0, place = 1), session desc
limit 1
