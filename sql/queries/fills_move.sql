-- Moves one attempt's rows to core.fill_revisions, leaving out what is there already. An identical version lies in the same
-- session, so only the batch's own sessions are read. No deduplication token here: after a half-done move the rest comes
-- in other blocks, and a token would drop them; the anti-join is what makes a repeat harmless.
insert into core.fill_revisions
(
    venue, account, session, fill_id, revision, source, content_hash, kind, instrument_id, instrument,
    conid, asset_class, symbol, underlying, expiry, strike, option_right, multiplier, exchange, side,
    quantity, price, notional, currency, fill_ts, trade_date, report_date, exec_id, order_id, order_ref,
    perm_id, trade_id, transaction_id, cancels_trade_id, action_id, description, liquidity, open_close,
    notes, strategy, signal_id, provisional, broker_realized, broker_cost, broker_net_cash,
    fx_rate_to_base, raw, batch_id, received_at
)
select
    venue, account, session, fill_id, revision, source, content_hash, kind, instrument_id, instrument,
    conid, asset_class, symbol, underlying, expiry, strike, option_right, multiplier, exchange, side,
    quantity, price, notional, currency, fill_ts, trade_date, report_date, exec_id, order_id, order_ref,
    perm_id, trade_id, transaction_id, cancels_trade_id, action_id, description, liquidity, open_close,
    notes, strategy, signal_id, provisional, broker_realized, broker_cost, broker_net_cash,
    fx_rate_to_base, raw, batch_id, received_at
from core.fill_staging
where attempt_id = {attempt_id:String}
    and (venue, account, session, fill_id, revision, source, content_hash) not in (
        select venue, account, session, fill_id, revision, source, content_hash
        from core.fill_revisions
        where (venue, account, session) in (
                select venue, account, session from core.fill_staging where attempt_id = {attempt_id:String}
            )
            and fill_id in (select fill_id from core.fill_staging where attempt_id = {attempt_id:String})
    )
