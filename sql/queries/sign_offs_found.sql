-- The newest word on every session; an empty text asks for all.
select *
from core.sign_offs
where ({venue:String} = '' or venue = {venue:String}) and ({account:String} = '' or account = {account:String})
    and session between {start:Date} and {end:Date}
order by venue, account, session
