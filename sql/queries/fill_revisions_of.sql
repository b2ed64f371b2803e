-- Every version of one fill, lowest precedence first.
select
    venue, account, fill_id, revision, source, kind, instrument, conid, side, quantity, price, multiplier,
    currency, fill_ts, trade_date, report_date, session, exec_id, order_id, order_ref, perm_id, trade_id,
    transaction_id, cancels_trade_id, action_id, exchange, description, liquidity, open_close, notes,
    strategy, signal_id, provisional, broker_realized, broker_cost, broker_net_cash, fx_rate_to_base, raw
from core.fill_revisions
where venue = {venue:String} and account = {account:String} and fill_id = {fill_id:String}
order by revision, source, content_hash
limit 1 by revision, source, content_hash
