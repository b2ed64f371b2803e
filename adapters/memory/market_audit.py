"""Counts of market rows in memory; findings and smiles are what a test puts there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime

from adapters.memory.market_store import MemoryMarketStore, StoredRow, moment_of
from trading.model.market import ROW_TYPES, MarketKind
from trading.ports.market_audit import (
    ColumnNote,
    FilledBars,
    Findings,
    MarketAudit,
    SmilePoint,
    SourceCount,
)
from trading.ports.model_runner import SessionRange


@dataclass(slots=True)
class MemoryMarketAudit(MarketAudit):
    """Looks at a memory store's loads."""

    store: MemoryMarketStore
    findings: dict[str, Findings] = field(default_factory=dict)
    points: list[SmilePoint] = field(default_factory=list)

    def counts(self, kind: MarketKind, sessions: SessionRange) -> Sequence[SourceCount]:
        """Count by source."""
        found: dict[tuple[date, str], list[StoredRow]] = {}
        for stored in self.store.rows(kind):
            if sessions.first <= stored.session <= sessions.last:
                found.setdefault((stored.session, stored.source), []).append(stored)
        return [_count(session, source, rows) for (session, source), rows in sorted(found.items())]

    def columns(self, kind: MarketKind) -> Sequence[ColumnNote]:
        """The fields of a row; nobody says what they mean here."""
        return [ColumnNote(name=each.name, type=str(each.type), about="") for each in fields(ROW_TYPES[kind])]

    def filled(self, sessions: SessionRange) -> Sequence[FilledBars]:
        """Nothing was heard live here."""
        return [
            FilledBars(session=count.session, live_only=0, filled=count.rows, both=0)
            for count in self.counts(MarketKind.BAR, sessions)
        ]

    def examine(
        self, check: str, sessions: SessionRange, parameters: Mapping[str, object], named_max: int
    ) -> Findings:
        """Return what was put there."""
        return self.findings.get(check, Findings(wrong=0))

    def smiles(
        self, session: date, until: datetime, symbols_max: int, expiries_max: int
    ) -> Sequence[SmilePoint]:
        """Return what was put there."""
        return self.points


def _count(session: date, source: str, rows: Sequence[StoredRow]) -> SourceCount:
    moments = [moment_of(stored.row) for stored in rows]
    return SourceCount(
        session=session,
        source=source,
        is_live=False,
        rows=len(rows),
        symbols=len({getattr(stored.row, "symbol", "") for stored in rows}),
        instruments=len({getattr(stored.row, "instrument_id", "") for stored in rows}),
        oldest_at=min(moments),
        newest_at=max(moments),
    )
