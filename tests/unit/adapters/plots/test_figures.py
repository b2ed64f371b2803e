"""Plots are pictures inside a line of Markdown."""

import base64
from datetime import date, timedelta
from decimal import Decimal

import pytest

from adapters.plots.figures import CURRENCIES_MAX, MatplotlibPlots
from trading.ports.market_audit import SmilePoint
from trading.ports.plots import PnlPoint

PNG = b"\x89PNG\r\n\x1a\n"


def _points(sessions: int, currency: str = "USD") -> list[PnlPoint]:
    first = date(2026, 3, 2)
    return [
        PnlPoint(session=first + timedelta(days=n), currency=currency, realized=Decimal(n % 5 - 2))
        for n in range(sessions)
    ]


def _picture(text: str) -> bytes:
    assert text.startswith("![P&L](data:image/png;base64,")
    return base64.b64decode(text.split(",", 1)[1].removesuffix(")"))


@pytest.mark.parametrize("sessions", [1, 12, 13, 60])
def test_any_number_of_sessions_is_drawn(sessions: int) -> None:
    """One session is a picture too."""
    assert _picture(MatplotlibPlots().daily_pnl(_points(sessions), "P&L")).startswith(PNG)


def _smile(symbol: str = "GOOG", strikes: int = 21) -> list[SmilePoint]:
    return [
        SmilePoint(
            symbol=symbol,
            expiry=date(2015, 12, 31) + timedelta(days=7 * week),
            strike=Decimal(700 + 5 * n),
            implied_volatility=0.2 + 0.0001 * (n - 10) ** 2,
            is_call=n >= 10,
            spot=Decimal("748.4"),
        )
        for week in range(2)
        for n in range(strikes)
    ]


@pytest.mark.parametrize("strikes", [1, 21, 400])
def test_a_smile_of_any_width_is_drawn(strikes: int) -> None:
    """One strike is a picture too, and no picture is larger than a page of metadata."""
    text = MatplotlibPlots().smiles(_smile(strikes=strikes), "P&L")
    assert _picture(text).startswith(PNG)
    assert len(text) < 200_000


def test_no_volatility_is_said_in_words_and_symbols_are_bounded() -> None:
    """Nothing to draw is said; of many symbols the busiest get a panel."""
    assert MatplotlibPlots().smiles([], "P&L") == "P&L: no implied volatility yet"
    many = [point for n in range(9) for point in _smile(f"S{n}")]
    some = [point for n in range(3) for point in _smile(f"S{n}")]
    heights = [_picture(MatplotlibPlots().smiles(points, "P&L"))[20:24] for points in (many, some)]
    assert heights[0] == heights[1]


def test_no_session_is_said_in_words() -> None:
    """An empty picture would be a riddle."""
    assert MatplotlibPlots().daily_pnl([], "P&L") == "P&L: no P&L yet"


def test_the_number_of_panels_is_bounded() -> None:
    """Ten currencies make a picture no taller than six."""
    many = [point for n in range(10) for point in _points(3, f"C{n}")]
    some = [point for n in range(CURRENCIES_MAX) for point in _points(3, f"C{n}")]
    heights = [_picture(MatplotlibPlots().daily_pnl(points, "P&L"))[20:24] for points in (many, some)]
    assert heights[0] == heights[1]
