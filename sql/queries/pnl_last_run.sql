-- The last run that counts at or before a session, with what the book needs beside its lots.
select session, run_id, cash, pending
from core.current_pnl_runs
where venue = {venue:String} and account = {account:String} and session <= {upto:Date}
order by session desc
limit 1
