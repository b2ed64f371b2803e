"""Rows of a kind that updates tell, and a sink that keeps updates, for tests that compare two sessions."""

from collections.abc import Iterable, Sequence
from typing import Any

from trading.model.market import MarketKind
from trading.ports.market_state import MarketSink, SymbolUpdate


def rows_of(updates: Iterable[SymbolUpdate], kind: MarketKind) -> list[Any]:
    """What the warehouse is told of one kind, in order."""
    return [row for update in updates for block in update.blocks if block.kind is kind for row in block.rows]


def fields_of(updates: Iterable[SymbolUpdate], kind: MarketKind, *names: str) -> list[tuple[Any, ...]]:
    """Some fields of the rows of one kind, in order."""
    return [tuple(getattr(row, name) for name in names) for row in rows_of(updates, kind)]


class KeptUpdates(MarketSink):
    """What a sink was called with."""

    def __init__(self) -> None:
        self.calls: list[Sequence[SymbolUpdate]] = []

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Keep it."""
        self.calls.append(tuple(updates))

    def rows(self, kind: MarketKind, symbol: str) -> list[Any]:
        """All rows of one kind and symbol, in order."""
        return rows_of((update for call in self.calls for update in call if update.symbol == symbol), kind)
