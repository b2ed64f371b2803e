-- The days on which an Activity statement ends that has the section; an empty section says "none".
select distinct to_date
from core.current_statements
where venue = {venue:String} and account = {account:String} and to_date in {days:Array(Date)} and kind = 'activity'
    and has(sections, {section:String})
