"""P&L plots as PNG data URIs in Markdown, so that they travel in the metadata of a run.

matplotlib is imported in here at first use: it takes a second, and a code location that draws nothing
should not pay it. Figures are made without pyplot, which keeps global state that threads would share.
"""

import base64
import io
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from trading.ports.plots import Plots, PnlPoint

SIZE_INCHES = (9.0, 3.2)  # per currency: wide enough for a month of sessions
RESOLUTION_DPI = 80
CURRENCIES_MAX = 6  # more than this is no picture any more
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


def _png(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
