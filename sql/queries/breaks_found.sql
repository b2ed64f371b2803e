-- Breaks as they stand; an empty text or list asks for all.
select *
from core.breaks
where ({venue:String} = '' or venue = {venue:String})
    and ({account:String} = '' or account = {account:String})
    and session between {start:Date} and {end:Date}
    and (empty({states:Array(String)}) or has({states:Array(String)}, state))
    and ({break_id:String} = '' or break_id = {break_id:String})
order by venue, account, session, kind, break_id
