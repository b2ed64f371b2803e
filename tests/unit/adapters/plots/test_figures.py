"""Plots are pictures inside a line of Markdown."""

import base64
from datetime import date, timedelta
from decimal import Decimal

import pytest

from adapters.plots.figures import CURRENCIES_MAX, MatplotlibPlots
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


def test_no_session_is_said_in_words() -> None:
    """An empty picture would be a riddle."""
    assert MatplotlibPlots().daily_pnl([], "P&L") == "P&L: no P&L yet"


def test_the_number_of_panels_is_bounded() -> None:
    """Ten currencies make a picture no taller than six."""
    many = [point for n in range(10) for point in _points(3, f"C{n}")]
    some = [point for n in range(CURRENCIES_MAX) for point in _points(3, f"C{n}")]
    heights = [_picture(MatplotlibPlots().daily_pnl(points, "P&L"))[20:24] for points in (many, some)]
    assert heights[0] == heights[1]
