-- Every version of every fill of some sessions by whatever source. The row as it came is left out: nobody compares it.
select * except (raw), '{}' as raw
from core.fill_revisions
where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
order by session, fill_id, revision, source, content_hash
limit 1 by session, fill_id, revision, source, content_hash
