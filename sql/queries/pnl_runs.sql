-- The runs that count, by session.
select venue, account, session, run_id, previous_run_id, inputs_hash, settings_hash, fills, base_currency, computed_at
from core.current_pnl_runs
where venue = {venue:String} and account = {account:String}
order by session
