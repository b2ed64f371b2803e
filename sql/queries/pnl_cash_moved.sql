-- Cash moved by currency over a range of sessions, opening balances left out.
select currency, sum(amount) as amount
from core.cash_ledger
where venue = {venue:String} and account = {account:String}
    and session between {start:Date} and {end:Date} and kind != 'opening'
group by currency
order by currency
