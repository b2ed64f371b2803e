"""Market rows that no adapter would write, as inserts: what the invariants must find."""


def minutes(table: str, *rows: str) -> str:
    """An insert into a roll-up: session, minute and figures of each row."""
    names = {"quote": "two_sided, crossed", "trade": "trades, volume"}[table]
    head = f"insert into core.{table}_minute_rows (symbol, instrument_id, source, session, minute, {names})"
    return f"{head} values " + ", ".join(f"('SPY', 'STK:SPY', 'ibkr', {row})" for row in rows)


def chains(*rows: str) -> str:
    """An insert of contracts: right, volatility, delta and gamma of each."""
    head = "insert into core.chain_rows (symbol, session, at, option_right, implied_volatility, delta, gamma)"
    return f"{head} values " + ", ".join(
        f"('SPY', '2026-07-17', '2026-07-17 15:00:00', {row})" for row in rows
    )


NAMED = "symbol, instrument_id, source, session, at"
ROW = "'SPY', 'STK:SPY', 'ibkr', '2026-07-17', '2026-07-17 15:00:00'"
WRONG_MARKET_ROWS = {
    "trades_not_unique": f"insert into core.trade_rows ({NAMED}, ordinal, place) "
    f"values ({ROW}, 0, 1), ({ROW}, 0, 2)",
    "quotes_out_of_session": minutes("quote", "'2026-07-17', '2026-07-18 00:01:00', 1, 0"),
    "trades_out_of_session": minutes("trade", "'2026-07-17', '2026-07-11 00:01:00', 1, 1"),
    "market_sessions_on_closed_days": minutes("trade", "'2026-07-18', '2026-07-18 15:00:00', 1, 1"),
    "quotes_crossed_often": minutes(
        "quote", "'2026-07-17', '2026-07-17 15:00:00', 90, 1", "'2026-07-17', '2026-07-17 15:01:00', 20, 1"
    ),
    "minutes_that_miss_quotes": f"insert into core.quote_rows ({NAMED}, stored_at) "
    f"values ({ROW}, now() - interval 1 hour)",
    "chain_rows_with_impossible_greeks": chains("'C', 0.2, -0.5, 0.1"),
    "loads_that_lost_rows": "insert into core.market_loads (kind, session, source, load_id, rows) "
    "values ('quote', '2026-07-17', 'lean', 5, 3)",
}
MARKET_WARNINGS = {"trades_not_unique", "quotes_crossed_often", "chain_rows_with_impossible_greeks"}
MARKET_NEVER_BROKEN = {"bars_not_unique"}
POSSIBLE_GREEKS = chains("'C', 0.2, 0.5, 0.1", "'P', 0.2, -0.5, 0", "'C', null, null, null", "'P', 3.5, 0, 0")
