"""Before the first quote of a day the close before says where an underlying stands, if it is a price."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.lines import KnownContract, Line, LineKind

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY = KnownContract(conid=756733, symbol="SPY", sec_type="STK", exchange="SMART", instrument_id="STK:756733")
CLOSE = 9


@pytest.mark.parametrize("absurd", [1e15, 1e308, 0.0, -1.0, float("nan")])
def test_a_close_that_is_no_price_is_no_spot(absurd: float) -> None:
    """The strikes of a chain are chosen by it, and each of its rows would carry it."""
    feeds = Feeds({"SPY": SymbolPlan(symbol="SPY")}, load_settings({}).ingest)
    feeds.begin(1, Line(kind=LineKind.LEVEL1, symbol="SPY", contract=SPY))
    feeds.price(1, CLOSE, absurd, 0, NOON)
    assert feeds.spot("SPY") is None
    feeds.price(1, CLOSE, 500.25, 0, NOON)
    feeds.price(1, CLOSE, absurd, 0, NOON)
    assert feeds.spot("SPY") == Decimal("500.25")
