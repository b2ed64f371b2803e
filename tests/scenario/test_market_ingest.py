"""The market-data session hears a simulated session over TCP: what it writes is what the world says."""

from ingest_desk import market_desk, market_settings, symbol_settings

from trading.model.market import MarketKind


def test_quotes_prints_and_minutes_of_an_underlying_are_told() -> None:
    """Level 1, the tape and bars of a minute of one share reach the sink."""
    with market_desk(market_settings(SPY=symbol_settings())) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 20)
        desk.has(MarketKind.TRADE, "SPY", 20)
        desk.has(MarketKind.BAR, "SPY", 2)
        live = desk.state.read(["SPY"])["SPY"]
        assert live.ticker is not None and live.ticker.bid is not None and live.ticker.ask is not None
        assert live.bars and live.trades
