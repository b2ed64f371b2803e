-- How many contracts of a chain were to be looked at: of what is listed a login's lines allow a part, and a chain is judged by that
-- part. And how old each contract's quote was when the snapshot was made, so that nobody takes an old one for a new one.

alter table core.chain_rows
    add column if not exists watched Nullable(UInt32)
        comment 'Contracts of those listed that were to be looked at; null where that is all of them.' codec(ZSTD(1)) after listed;

alter table core.chain_rows
    comment column if exists quoted_at 'When its quote was heard; of its model where it has no quote.';

alter table core.chain_rows
    add column if not exists quote_age_s Float64 alias dateDiff('millisecond', quoted_at, at) / 1000
        comment 'Age of its quote at the moment of the snapshot, in seconds.';

-- Grain: one contract in one snapshot of a chain; each once.
create or replace view core.chains as
select
    symbol, at, expiry, strike, option_right, instrument_id, trading_class, multiplier, conid, quoted_at, bid, ask,
    bid_size, ask_size, last, volume, open_interest, open_interest_date, greeks_at, greeks_source, implied_volatility,
    delta, gamma, vega, theta, rho, model_price, underlying_price, spot, listed, watched, contracts,
    quote_age_s, told_by, source, session, heard_at, load_id, stream,
    entry_ms, entry_seq, place
from core.chain_rows final
where load_id = 0 or load_id in (select load_id from core.current_market_loads where kind = 'chain');

-- Grain: one contract of the newest snapshot of a symbol's chain by a source, in the newest session.
create or replace view core.chains_newest as
select *
from core.chains
where session = (select max(session) from core.chain_rows)
    and (symbol, source, at) in (
        select c.symbol, c.source, max(c.at)
        from core.chains as c
        where c.session = (select max(session) from core.chain_rows)
        group by c.symbol, c.source
    );
