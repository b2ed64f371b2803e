-- The sessions that hold any fill revision.
select distinct session
from core.fill_revisions
where venue = {venue:String} and account = {account:String} and session between {start:Date} and {end:Date}
order by session
