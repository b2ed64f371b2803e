-- Every statement of an account, by last day, lowest precedence first.
select
    statement_id, venue, account, kind, query_name, from_date, to_date, generated_at, base_currency, sha256, sections,
    unknown_fields
from core.current_statements
where venue = {venue:String} and account = {account:String}
order by to_date, precedence
