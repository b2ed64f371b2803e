"""A link that is silent and then speaks again, without having been lost: what it kept back is a gap."""

from datetime import date, timedelta

from driven_market import DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from trading.model.market import MarketKind, TradingState

MARKET = market_settings(SPY=symbol_settings(bars=False), AAPL=symbol_settings(bars=False))


def begun() -> DrivenMarket:
    """A session that hears two quotes."""
    desk = DrivenMarket(MARKET, begins_at=after_opening(date(2026, 11, 13)))
    desk.connect()
    for symbol in MARKET.symbols:
        desk.quote(500.0, 500.02, symbol)
    desk.flush()
    return desk


def fall_silent(desk: DrivenMarket, seconds: float) -> None:
    """Time passes, the session ticks, and no byte comes."""
    desk.clock.at += timedelta(seconds=seconds)
    desk.broker_at += timedelta(seconds=seconds)
    desk.turn()


def gaps(desk: DrivenMarket) -> dict[str, str]:
    """Why each symbol was not heard."""
    return {row.symbol: row.reason for row in desk.rows(MarketKind.REFUSED) if row.field == "gap"}


def test_a_link_that_speaks_again_after_a_silence_has_kept_something_back() -> None:
    """Each symbol's gap goes from its last tick to its first one after; it is stale until then."""
    desk = begun()
    fall_silent(desk, 3_601)
    desk.move(1)
    desk.flush()
    assert {row.state for row in desk.rows(MarketKind.STATE)} == {TradingState.OPEN, TradingState.STALE}
    assert gaps(desk) == {}
    desk.move(1)
    for symbol in MARKET.symbols:
        desk.quote(501.0, 501.02, symbol)
    desk.flush()
    assert gaps(desk) == {"SPY": "the link was silent", "AAPL": "the link was silent"}


def test_a_pause_that_nobody_had_to_ask_about_is_no_gap() -> None:
    """Quiet markets are quiet."""
    desk = begun()
    fall_silent(desk, 3_500)
    desk.move(1)
    desk.quote(501.0, 501.02)
    desk.flush()
    assert gaps(desk) == {}
