"""The market store in memory: for tests and dry runs. Same words as the warehouse, same counts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from trading.calendar import TradingCalendar
from trading.model.market import (
    Bar,
    ChainSnapshot,
    MarketEntry,
    MarketKind,
    MarketRow,
    NewsItem,
    RefusedRow,
    TechnicalReading,
)
from trading.ports.market_store import LoadReport, MarketStore
from trading.ports.outbox import UnreadableEntry

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row as the warehouse's views show it."""

    kind: MarketKind
    source: str
    session: date
    row: MarketRow


@dataclass(slots=True)
class MemoryMarketStore(MarketStore):
    """Rows by identity; `letters` is the dead letter by origin and reason."""

    letters: dict[Key, str] = field(default_factory=dict)
    _live: dict[Key, StoredRow] = field(default_factory=dict)
    _loaded: dict[tuple[MarketKind, date, str], list[StoredRow]] = field(default_factory=dict)
    _calendar: TradingCalendar = field(default_factory=TradingCalendar)

    def record(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        """Store entries of the outbox."""
        for bad in unreadable:
            self.letters[bad.stream, bad.entry_id] = bad.reason
        kinds = dict.fromkeys(entry.block.kind for entry in entries)
        return [self._record_kind(kind, [one for one in entries if one.block.kind is kind]) for kind in kinds]

    def settle(self, *, at_once: bool = False) -> None:
        """There is no roll-up in memory."""

    def load(self, kind: MarketKind, session: date, source: str, rows: Iterable[MarketRow]) -> LoadReport:
        """Store one session's rows of a source in place of what it said before."""
        kept: dict[Key, StoredRow] = {}
        refused = sent = 0
        for number, row in enumerate(rows):
            reason = self._refusal(kind, session, row)
            if reason:
                refused += 1
                self.letters["load", kind, session, source, number] = reason
                continue
            sent += 1
            stored = StoredRow(kind=kind, source=source, session=session, row=row)
            kept[version_key(row) or (number,)] = stored
        before = self._loaded.get((kind, session, source), [])
        told = Counter(map(repr, kept.values()))
        known = Counter(map(repr, before))
        new = (told - known).total()
        if told != known:
            self._loaded[kind, session, source] = list(kept.values())
        moments = [moment_of(stored.row) for stored in kept.values()]
        return LoadReport(
            kind=kind,
            total=sent + refused,
            new=new,
            repeated=sent - new,
            refused=refused,
            oldest_at=min(moments, default=None),
            newest_at=max(moments, default=None),
        )

    def rows(self, kind: MarketKind) -> list[StoredRow]:
        """What the warehouse's view of this kind shows."""
        loaded = [row for (of, _, _), rows in self._loaded.items() if of is kind for row in rows]
        return [row for row in self._live.values() if row.kind is kind] + loaded

    def _record_kind(self, kind: MarketKind, entries: Sequence[MarketEntry]) -> LoadReport:
        new = repeated = refused = 0
        moments = []
        for entry in entries:
            for place, row in enumerate(entry.block.rows):
                if isinstance(row, RefusedRow):
                    refused += 1
                    self.letters[entry.stream, entry.entry_id, place] = row.reason
                    continue
                count = len(row.contracts) if isinstance(row, ChainSnapshot) else 1
                identity = (entry.stream, entry.entry_id, place)
                key = (kind, entry.block.source, *(version_key(row) or identity))
                moments.append(moment_of(row))
                if key in self._live and not version_key(row):
                    repeated += count
                    continue
                new += count
                session = self._calendar.trading_session(moment_of(row))
                self._live[key] = StoredRow(kind=kind, source=entry.block.source, session=session, row=row)
        return LoadReport(
            kind=kind,
            total=new + repeated + refused,
            new=new,
            repeated=repeated,
            refused=refused,
            oldest_at=min(moments, default=None),
            newest_at=max(moments, default=None),
        )

    def _refusal(self, kind: MarketKind, session: date, row: MarketRow) -> str:
        if isinstance(row, RefusedRow):
            return row.reason
        other = self._calendar.trading_session(moment_of(row))
        return "" if other == session else f"{kind}: session: expected {session}, was {other}"


def moment_of(row: MarketRow) -> datetime:
    """The row's time on the market's clock."""
    return row.published_at if isinstance(row, NewsItem) else row.at


def version_key(row: MarketRow) -> Key:
    """What a row that is told again has in common with its older version; nothing for rows that never are."""
    if isinstance(row, Bar):
        return (row.instrument_id, row.seconds, row.of, row.at)
    if isinstance(row, NewsItem):
        return (row.item_id, row.published_at)
    if isinstance(row, TechnicalReading):
        return (row.symbol, row.indicator, row.interval, row.at, row.source)
    return ()
