-- The statement of a kind, made last, whose days hold the session; of two that were made at once the one that ends first.
select
    statement_id, venue, account, kind, query_name, from_date, to_date, generated_at, base_currency, sha256, sections,
    unknown_fields
from core.current_statements
where venue = {venue:String} and account = {account:String} and kind = {kind:String}
    and {session:Date} between from_date and to_date
order by precedence.2 desc, to_date, precedence desc
limit 1
