-- The fills as they stand whose winning revision lies in these sessions, in FIFO order. Only fills with some revision there
-- are looked at.
select
    venue, account, fill_id, revision, source, kind, instrument, conid, side, quantity, price, multiplier,
    currency, fill_ts, trade_date, report_date, session, exec_id, order_id, order_ref, perm_id, trade_id,
    transaction_id, cancels_trade_id, action_id, exchange, description, liquidity, open_close, notes,
    strategy, signal_id, provisional, broker_realized, broker_cost, broker_net_cash, fx_rate_to_base, raw,
    fees, busted, fifo_ts, fifo_key
from core.fills
where venue = {venue:String} and account = {account:String}
    and fill_id in (
        select fill_id
        from core.fill_revisions
        where venue = {venue:String} and account = {account:String} and session in {sessions:Array(Date)}
    )
    and session in {sessions:Array(Date)}
order by fifo_ts, fifo_key
