"""A halt of the whole market is told from the shares that are heard."""

from datetime import UTC, datetime

import pytest

from trading.market.market_halt import is_market_halted
from trading.market.quote_board import QuoteBoard
from trading.model.market import TradingState

AT = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("halted", "heard", "is_halted"),
    [
        ("", "", False),
        ("", "SPY", False),
        ("SPY", "SPY", True),
        ("TSLA", "TSLA", False),
        ("TSLA", "SPY TSLA", False),
        ("SPY", "SPY TSLA", False),
        ("SPY TSLA", "SPY TSLA", True),
        ("TSLA NVDA", "SPY QQQ TSLA NVDA", False),
        ("SPY TSLA NVDA", "SPY QQQ TSLA NVDA", True),
    ],
)
def test_more_than_half_of_the_shares_are_the_market(halted: str, heard: str, *, is_halted: bool) -> None:
    """One share alone is not, unless it is a fund of the market and nothing else is heard."""
    stopped = halted.split()
    assert is_market_halted({symbol: symbol in stopped for symbol in heard.split()}) is is_halted


def test_a_line_that_is_stopped_is_halted_until_that_ends() -> None:
    """Ticks do not end it: an index goes on telling its value."""
    board = QuoteBoard()
    board.open_line(1, "SPX", "IND:SPX")
    board.price(1, 4, 5000.0, 0.0, AT)
    board.flush()
    board.stop(1, "market-wide halt", AT)
    board.stop(1, "market-wide halt", AT)
    board.price(1, 4, 4999.0, 0.0, AT)
    (state,) = board.flush().states
    assert (state.state, state.reason) == (TradingState.HALTED, "market-wide halt")
    board.price(1, 4, 4998.0, 0.0, AT)
    assert board.flush().states == ()
    board.stop(1, "", AT)
    (state,) = board.flush().states
    assert state.state is TradingState.OPEN
