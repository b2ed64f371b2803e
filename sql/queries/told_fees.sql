-- Every fee of the fills of some sessions by whatever source; a fee may not know its session, its fill does.
select venue, account, commission_key, fill_id, source, amount, currency
from core.commission_facts
where venue = {venue:String} and account = {account:String}
    and fill_id in (
        select fill_id
        from core.fill_revisions
        where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    )
order by commission_key, source, content_hash
limit 1 by commission_key, source, content_hash
