-- How many of a sample of a batch's rows are stored already; only the sample's own sessions are read.
select uniqExact(content_hash) as known
from core.fill_revisions
where venue = {venue:String} and account in {accounts:Array(String)} and session in {sessions:Array(Date)}
    and content_hash in {hashes:Array(String)}
