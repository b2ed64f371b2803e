-- Positions of the newest complete answer of each account; all accounts where none is named.
select account, conid, instrument_id, symbol, quantity, average_cost, heard_at, asked_at, broker_at
from core.broker_positions_latest
where account in {accounts:Array(String)} or empty({accounts:Array(String)})
order by account, instrument_id
