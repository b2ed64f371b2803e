"""From what a vendor told to what is published: one update of a symbol, with its blocks for the warehouse.

What was refused goes to the dead letter, but a row that is wrong in every answer of the day does not fill it:
of one kind of mistake so many are kept each session, the rest is counted. Keep out: asking, publishing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from trading.feeds.sentiment import sentiment_of
from trading.model.market import (
    ChainSnapshot,
    MarketBlock,
    MarketKind,
    MarketRow,
    NewsItem,
    RefusedRow,
    TechnicalReading,
)
from trading.ports.market_state import ROWS_PER_BLOCK_MAX, SymbolUpdate
from trading.ports.vendor_source import NewsRead

REFUSED_TOLD_MAX = 50  # of one symbol, feed and field in a session
ITEMS_KNOWN_MAX = 20_000  # articles that are published already

Rows = Mapping[MarketKind, Sequence[MarketRow]]


@dataclass(slots=True)
class RefusedRows:
    """Which refusals go to the dead letter."""

    _session: date | None = None
    _told: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def worth_telling(self, rows: Sequence[RefusedRow], session: date) -> tuple[RefusedRow, ...]:
        """The rows without those whose kind has been told often enough in this session."""
        if session != self._session:
            self._session = session
            self._told.clear()
        kept = []
        for row in rows:
            kind = (row.symbol, row.feed, row.field)
            if self._told[kind] < REFUSED_TOLD_MAX:
                self._told[kind] += 1
                kept.append(row)
        return tuple(kept)


@dataclass(slots=True)
class KnownItems:
    """Articles of each symbol that are published, so that an answer adds only what is new."""

    _known: dict[tuple[str, str], None] = field(default_factory=dict)

    def new(self, symbol: str, items: Sequence[NewsItem]) -> tuple[NewsItem, ...]:
        """The items that were not published for this symbol."""
        return tuple(item for item in items if (symbol, item.item_id) not in self._known)

    def published(self, symbol: str, items: Sequence[NewsItem]) -> None:
        """Remember them; the oldest are forgotten, and would only be told again."""
        self._known.update({(symbol, item.item_id): None for item in items})
        while len(self._known) > ITEMS_KNOWN_MAX:
            del self._known[next(iter(self._known))]


def chain_update(
    snapshot: ChainSnapshot, spot: Decimal | None, refused: Sequence[RefusedRow], heard_at: datetime
) -> SymbolUpdate:
    """A chain with the underlying's price as we know it."""
    told = replace(snapshot, spot=spot if snapshot.spot is None else snapshot.spot)
    rows: Rows = {MarketKind.CHAIN: (told,), MarketKind.REFUSED: tuple(refused)}
    return SymbolUpdate(
        symbol=told.symbol, chain=told, blocks=_blocks(told.symbol, told.source, heard_at, rows)
    )


def news_update(
    read: NewsRead,
    new: Sequence[NewsItem],
    refused: Sequence[RefusedRow],
    symbol: str,
    source: str,
    at: datetime,
    window_s: int,
    heard_at: datetime,
) -> SymbolUpdate:
    """New articles, and what all of the window say together."""
    reading = sentiment_of(symbol, read.items, at, window_s)
    rows: Rows = {
        MarketKind.NEWS: tuple(new),
        MarketKind.SENTIMENT: (reading,),
        MarketKind.REFUSED: tuple(refused),
    }
    return SymbolUpdate(symbol=symbol, sentiment=reading, blocks=_blocks(symbol, source, heard_at, rows))


def technical_update(
    reading: TechnicalReading, refused: Sequence[RefusedRow], heard_at: datetime
) -> SymbolUpdate:
    """One indicator."""
    rows: Rows = {MarketKind.TECHNICAL: (reading,), MarketKind.REFUSED: tuple(refused)}
    return SymbolUpdate(
        symbol=reading.symbol,
        technicals=(reading,),
        blocks=_blocks(reading.symbol, reading.source, heard_at, rows),
    )


def refused_update(
    symbol: str, source: str, refused: Sequence[RefusedRow], heard_at: datetime
) -> SymbolUpdate:
    """Nothing but refusals."""
    rows: Rows = {MarketKind.REFUSED: tuple(refused)}
    return SymbolUpdate(symbol=symbol, blocks=_blocks(symbol, source, heard_at, rows))


def _blocks(symbol: str, source: str, heard_at: datetime, rows: Rows) -> tuple[MarketBlock, ...]:
    return tuple(
        MarketBlock(
            kind=kind,
            symbol=symbol,
            source=source,
            heard_at=heard_at,
            rows=tuple(told[start : start + ROWS_PER_BLOCK_MAX]),
        )
        for kind, told in rows.items()
        for start in range(0, len(told), ROWS_PER_BLOCK_MAX)
    )
