"""What the two small venues say is held, as a person saves it: asked early next morning, all of it.

Kalshi's answer comes in pages and says no moment, so the one who saves it notes when it was asked; NO is told
as a negative number, and a market that was traded and left is told with zero. Kraken's says its own time, and
long or short. Nothing of it is computed by the platform: it is the sum of the journal's fills.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from simulation.sample_desk.contracts import plain

ASKED_AT = "06:00:00.000Z"  # of the next day; both venues' days are over, and no fill is near
PAGE_ROWS = 10
INSTRUMENT_PREFIXES = {"kraken": "PERP:kraken:", "kalshi": "EVT:kalshi:"}


class Holdings:
    """The net quantity of every contract of one venue, fill by fill."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        self.held: dict[str, Decimal] = {}
        self.prices: dict[str, str] = {}

    def take(self, fills: Sequence[Mapping[str, Any]]) -> None:
        """Add fills as the journal has them."""
        for fill in fills:
            symbol = str(fill["instrument_id"]).removeprefix(INSTRUMENT_PREFIXES[self.venue])
            sign = 1 if fill["side"] == "BUY" else -1
            self.held[symbol] = self.held.get(symbol, Decimal(0)) + sign * Decimal(str(fill["quantity"]))
            self.prices[symbol] = str(fill["price"])

    def answer(self, session: date) -> str:
        """The venue's answer on the morning after the session, as text of a file."""
        asked_at = f"{session + timedelta(days=1)}T{ASKED_AT}"
        return self._kraken(asked_at) if self.venue == "kraken" else self._kalshi(asked_at)

    def _kraken(self, asked_at: str) -> str:
        rows = [
            f'  {{"side": "{"long" if quantity > 0 else "short"}", "symbol": "{symbol}",'
            f' "price": {self.prices[symbol]}, "size": {plain(abs(quantity))}}}'
            for symbol, quantity in sorted(self.held.items())
            if quantity
        ]
        return _object(f'"result": "success",\n"serverTime": "{asked_at}"', "openPositions", rows)

    def _kalshi(self, asked_at: str) -> str:
        rows = [
            f'  {{"ticker": "{symbol}", "position_fp": "{quantity:.2f}"}}'
            for symbol, quantity in sorted(self.held.items())
        ]
        starts = range(0, max(len(rows), 1), PAGE_ROWS)
        pages = []
        for start in starts:
            cursor = f"at-{start + PAGE_ROWS}" if start + PAGE_ROWS < len(rows) else ""
            head = f'"asked_at": "{asked_at}",\n"cursor": "{cursor}",\n"event_positions": []'
            pages.append(_object(head, "market_positions", rows[start : start + PAGE_ROWS]))
        return "[\n" + ",\n".join(page.rstrip("\n") for page in pages) + "\n]\n"


def _object(head: str, name: str, rows: Sequence[str]) -> str:
    told = ",\n".join(rows)
    return f'{{\n{head},\n"{name}": [\n{told}\n]\n}}\n'
