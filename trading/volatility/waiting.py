"""Rows on their way to the warehouse: what changed, in order, kept until it was published.

Bounded: what is beyond goes, oldest first, and is counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from trading.model.market import MarketBlock, MarketKind, RefusedRow, VolatilityReading
from trading.ports.market_state import ROWS_PER_BLOCK_MAX
from trading.volatility.observation import INDEX

ROWS_MAX = 20_000  # days of readings while the live state is away
REFUSED_KNOWN_MAX = 5_000  # the same wrong row of a file is told once

Row = VolatilityReading | RefusedRow


@dataclass(slots=True)
class WaitingRows:
    """Readings that say something new, and rows that were refused."""

    lost: int = 0
    _rows: list[tuple[str, Row]] = field(default_factory=list)
    _told: tuple[object, ...] | None = None
    _refused: set[RefusedRow] = field(default_factory=set)

    def add_reading(self, reading: VolatilityReading) -> None:
        """Keep a reading that differs from the one before by value, time, source or regime."""
        says = (reading.at, reading.value, reading.source, reading.regime)
        if says != self._told:
            self._told = says
            self._keep(reading.source.value, reading)

    def add_daily(self, readings: Sequence[VolatilityReading]) -> None:
        """Keep the closes of sessions."""
        for reading in readings:
            self._keep(reading.source.value, reading)

    def add_refused(self, source: str, rows: Sequence[RefusedRow]) -> int:
        """Keep refused rows that were not told before; returns how many."""
        new = [row for row in dict.fromkeys(rows) if row not in self._refused]
        for row in new:
            if len(self._refused) < REFUSED_KNOWN_MAX:
                self._refused.add(row)
            self._keep(source, row)
        return len(new)

    def blocks(self, heard_at: datetime) -> tuple[MarketBlock, ...]:
        """Everything that waits, in order, by kind and source."""
        blocks = []
        for (kind, source), group in groupby(self._rows, key=lambda entry: (_kind(entry[1]), entry[0])):
            rows = [row for _, row in group]
            for start in range(0, len(rows), ROWS_PER_BLOCK_MAX):
                part = tuple(rows[start : start + ROWS_PER_BLOCK_MAX])
                blocks.append(
                    MarketBlock(kind=kind, symbol=INDEX, source=source, heard_at=heard_at, rows=part)
                )
        return tuple(blocks)

    def published(self) -> None:
        """The warehouse will hear of all of them."""
        self._rows.clear()

    def _keep(self, source: str, row: Row) -> None:
        self._rows.append((source, row))
        if len(self._rows) > ROWS_MAX:
            del self._rows[0]
            self.lost += 1


def _kind(row: Row) -> MarketKind:
    return MarketKind.REFUSED if isinstance(row, RefusedRow) else MarketKind.VOLATILITY
