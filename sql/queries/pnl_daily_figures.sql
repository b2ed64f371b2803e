-- The figures of every account, session, contract and strategy.
select account, session, conid, quantity_bought, quantity_sold, fees, realized, position_end
from core.pnl_daily
