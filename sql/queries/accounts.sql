-- Every account that has fills or statements.
select distinct venue, account
from (
    select venue, account from core.fill_revisions
    union all
    select venue, account from core.broker_statements
)
order by venue, account
