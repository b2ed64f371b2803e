-- The highest version of each session's pointer, of those to nothing, too.
select venue, account, session, max(version) as version
from core.pnl_runs
where venue in {venues:Array(String)} and account in {accounts:Array(String)} and session between {first:Date} and {last:Date}
group by venue, account, session
