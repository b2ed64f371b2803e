-- Whether any Activity statement that ends on the session has the section; an empty section says "none".
select count() > 0 as tells
from core.current_statements
where venue = {venue:String} and account = {account:String} and to_date = {session:Date} and kind = 'activity'
    and has(sections, {section:String})
