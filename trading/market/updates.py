"""Rows of one flush to updates: by underlying, in blocks of one kind, in the order in which symbols changed.

An option's quote goes with its underlying's update; only the underlying's own rows become the live state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from trading.model.market import (
    Bar,
    ChainSnapshot,
    DepthSnapshot,
    InstrumentState,
    MarketBlock,
    MarketKind,
    MarketRow,
    Quote,
    RefusedRow,
    Trade,
)
from trading.ports.market_state import ROWS_PER_BLOCK_MAX, SymbolUpdate

Row = TypeVar("Row")


@dataclass(slots=True)
class _Symbol:
    """What one flush has of one symbol."""

    quotes: list[Quote] = field(default_factory=list)
    states: list[InstrumentState] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    chains: list[ChainSnapshot] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    depths: list[DepthSnapshot] = field(default_factory=list)
    live_book: DepthSnapshot | None = None


class Flush:
    """One flush of one source; `underlyings` names each symbol's own instrument."""

    def __init__(self, source: str, underlyings: dict[str, str]) -> None:
        self._source, self._underlyings = source, underlyings
        self._symbols: dict[str, _Symbol] = {}

    def quotes(self, rows: Iterable[Quote]) -> None:
        """Add quotes, of underlyings and options."""
        for row in rows:
            self._of(row.symbol).quotes.append(row)

    def states(self, rows: Iterable[InstrumentState]) -> None:
        """Add changes of state."""
        for row in rows:
            self._of(row.symbol).states.append(row)

    def trades(self, rows: Iterable[Trade]) -> None:
        """Add prints."""
        for row in rows:
            self._of(row.symbol).trades.append(row)

    def bars(self, rows: Iterable[Bar]) -> None:
        """Add minutes."""
        for row in rows:
            self._of(row.symbol).bars.append(row)

    def book(self, row: DepthSnapshot, *, for_warehouse: bool) -> None:
        """Add a book; the warehouse gets it less often than the live state."""
        told = self._of(row.symbol)
        told.live_book = row
        if for_warehouse:
            told.depths.append(row)

    def chain(self, row: ChainSnapshot) -> None:
        """Add a chain."""
        self._of(row.symbol).chains.append(row)

    def refused(self, rows: Iterable[RefusedRow]) -> None:
        """Add what was refused; it goes to the dead letter."""
        for row in rows:
            self._of(row.symbol).refused.append(row)

    def updates(self, heard_at: datetime) -> tuple[SymbolUpdate, ...]:
        """Tell all of it; `heard_at` is this machine's clock."""
        return tuple(self._update(symbol, told, heard_at) for symbol, told in self._symbols.items())

    def _of(self, symbol: str) -> _Symbol:
        told = self._symbols.get(symbol)
        if told is None:
            told = self._symbols[symbol] = _Symbol()
        return told

    def _update(self, symbol: str, told: _Symbol, heard_at: datetime) -> SymbolUpdate:
        own = self._underlyings.get(symbol)
        parts: tuple[tuple[MarketKind, Sequence[MarketRow]], ...] = (
            (MarketKind.QUOTE, told.quotes),
            (MarketKind.TRADE, told.trades),
            (MarketKind.BAR, told.bars),
            (MarketKind.DEPTH, told.depths),
            (MarketKind.CHAIN, told.chains),
            (MarketKind.STATE, told.states),
            (MarketKind.REFUSED, told.refused),
        )
        return SymbolUpdate(
            symbol=symbol,
            ticker=_last([quote for quote in told.quotes if quote.instrument_id == own]),
            book=told.live_book,
            state=_last([state for state in told.states if state.instrument_id == own]),
            trades=tuple(trade for trade in told.trades if trade.instrument_id == own),
            bars=tuple(bar for bar in told.bars if bar.instrument_id == own),
            chain=told.chains[-1] if told.chains else None,
            blocks=tuple(
                block for kind, rows in parts for block in self._blocks(kind, symbol, rows, heard_at)
            ),
        )

    def _blocks(
        self, kind: MarketKind, symbol: str, rows: Sequence[MarketRow], heard_at: datetime
    ) -> Iterable[MarketBlock]:
        most = 1 if kind is MarketKind.CHAIN else ROWS_PER_BLOCK_MAX  # one chain can have megabytes
        for start in range(0, len(rows), most):
            yield MarketBlock(
                kind=kind,
                symbol=symbol,
                source=self._source,
                heard_at=heard_at,
                rows=tuple(rows[start : start + most]),
            )


def _last(rows: Sequence[Row]) -> Row | None:
    return rows[-1] if rows else None
