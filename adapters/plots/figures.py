"""Plots of P&L and of smiles as PNG data URIs in Markdown, so that they travel in the metadata of a run.

matplotlib is imported in here at first use: it takes a second, and a code location that draws nothing
should not pay it. Figures are made without pyplot, which keeps global state that threads would share.
"""

import base64
import io
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from trading.ports.market_audit import SmilePoint
from trading.ports.plots import Plots, PnlPoint

SIZE_INCHES = (9.0, 3.2)  # per currency: wide enough for a month of sessions
RESOLUTION_DPI = 80
CURRENCIES_MAX = 6  # more than this is no picture any more
SYMBOLS_MAX = 3  # a panel each; a picture travels in the metadata of a run
SHOWN_SHARE = 0.95  # of the volatilities of one panel
LABELS_MAX = 12  # dates under one picture
NARROWEST_SESSIONS = 10  # fewer bars than this would be blocks
GAIN, LOSS, TOTAL = "#2e7d32", "#c62828", "#1f4e79"


class MatplotlibPlots(Plots):
    """Plots by matplotlib on its file-only canvas."""

    def daily_pnl(self, points: Sequence[PnlPoint], title: str) -> str:
        """Draw one panel for each currency, those with most sessions first."""
        currencies = _busiest(points)
        if not currencies:
            return f"{title}: no P&L yet"
        figure = _figure(len(currencies))
        for axes, currency in zip(_panels(figure, len(currencies)), currencies, strict=True):
            _draw(
                axes, sorted((p for p in points if p.currency == currency), key=lambda p: p.session), currency
            )
        figure.suptitle(title)
        return f"![{title}](data:image/png;base64,{_png(figure)})"

    def smiles(self, points: Sequence[SmilePoint], title: str) -> str:
        """Draw one panel for each symbol, those with most points first."""
        counts = Counter(point.symbol for point in points)
        symbols = [symbol for symbol, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
        symbols = symbols[:SYMBOLS_MAX]
        if not symbols:
            return f"{title}: no implied volatility yet"
        figure = _figure(len(symbols))
        for axes, symbol in zip(_panels(figure, len(symbols)), symbols, strict=True):
            _draw_smile(axes, [point for point in points if point.symbol == symbol], symbol)
        figure.suptitle(title)
        return f"![{title}](data:image/png;base64,{_png(figure)})"


def _busiest(points: Sequence[PnlPoint]) -> list[str]:
    counts: dict[str, int] = {}
    for point in points:
        counts[point.currency] = counts.get(point.currency, 0) + (point.realized != 0)
    return sorted(counts, key=lambda currency: (-counts[currency], currency))[:CURRENCIES_MAX]


def _figure(panels: int) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(
        figsize=(SIZE_INCHES[0], SIZE_INCHES[1] * panels), dpi=RESOLUTION_DPI, layout="constrained"
    )
    FigureCanvasAgg(figure)
    return figure


def _panels(figure: Any, count: int) -> Sequence[Any]:
    return [figure.add_subplot(count, 1, place + 1) for place in range(count)]


def _draw(axes: Any, points: Sequence[PnlPoint], currency: str) -> None:
    """Sessions stand side by side, so that a weekend is no gap and one session is one bar."""
    places = range(len(points))
    colors = [GAIN if point.realized >= 0 else LOSS for point in points]
    axes.bar(places, [float(point.realized) for point in points], color=colors, width=0.8)
    totals = list(accumulate(point.realized for point in points))
    axes.plot(places, [float(total) for total in totals], color=TOTAL, linewidth=1.5, marker=".", label="sum")
    axes.axhline(0, color="black", linewidth=0.5)
    axes.set_xlim(-0.7, max(len(points), NARROWEST_SESSIONS) - 0.3)
    step = -(-len(points) // LABELS_MAX)
    labeled = list(places)[::step]
    axes.set_xticks(
        labeled, [points[place].session.isoformat() for place in labeled], rotation=30, fontsize=8
    )
    axes.set_ylabel(f"net realized, {currency}")
    axes.legend(loc="upper left", frameon=False)


def _draw_smile(axes: Any, points: Sequence[SmilePoint], symbol: str) -> None:
    """Volatility in percent by strike; the scale leaves out the highest ones, or nothing else is seen."""
    for expiry in sorted({point.expiry for point in points}):
        line = sorted((point for point in points if point.expiry == expiry), key=lambda point: point.strike)
        percents = [point.implied_volatility * 100 for point in line]
        strikes = [float(point.strike) for point in line]
        axes.plot(strikes, percents, linewidth=0.6, marker=".", markersize=4, label=str(expiry))
    highest = sorted(point.implied_volatility * 100 for point in points)
    axes.set_ylim(0, 1.2 * highest[int((len(highest) - 1) * SHOWN_SHARE)])
    spot = next((point.spot for point in points if point.spot is not None), None)
    if spot is not None:
        axes.axvline(float(spot), color="black", linewidth=0.5, linestyle="--")
    axes.set_ylabel(f"{symbol}, implied volatility in %")
    axes.legend(loc="upper right", frameon=False, fontsize=8)


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
