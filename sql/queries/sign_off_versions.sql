-- The highest version of the words on each session.
select venue, account, session, max(version) as version
from core.sign_off_versions
where venue in {venues:Array(String)} and account in {accounts:Array(String)} and session between {first:Date} and {last:Date}
group by venue, account, session
