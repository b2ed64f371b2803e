-- Figures of accounts as they were last told; all accounts where none is named.
select account, name, currency, value, amount, broker_at, heard_at
from core.account_values_latest
where account in {accounts:Array(String)} or empty({accounts:Array(String)})
order by account, name, currency
