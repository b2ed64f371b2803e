"""Past sessions of the market into the warehouse: from every source that has them, again and again the same.

A session that is over is read from the sources and stored under their names, beside what the live capture
told of it; the store takes it exactly once however often it is loaded. The session that is on (or to come)
belongs to the live capture alone: nothing is loaded, so that a run in the middle of the day cannot take half
a day for the whole. A source that fails raises: a failed read is no empty session. What of a source cannot be
read (a broken file among good ones) is named in the report beside what was stored, and whoever asked fails.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from trading.calendar import session_close, sessions_between
from trading.model.market import MarketKind, MarketRow, RefusedRow
from trading.ports.clock import Clock
from trading.ports.market_history import CANNOT_BE_READ, MarketHistory
from trading.ports.market_store import LoadReport, MarketStore
from trading.ports.model_runner import SessionRange

REASONS_MAX = 50  # of one load; more are told as one
BROKEN_NAMED_MAX = 20  # files or members of one load


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketTools:
    """Sources, store and clock."""

    histories: Sequence[MarketHistory]
    store: MarketStore
    clock: Clock


@dataclass(slots=True)
class LeftOut:
    """Lines of files that did not become rows, by reason; `broken` says what could not be read at all."""

    rows: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, row: RefusedRow) -> None:
        """Count what one refusal speaks for, under the first part of its reason."""
        reason = row.reason.partition(":")[0]
        if reason not in self.rows and len(self.rows) >= REASONS_MAX:
            reason = "other reasons"
        self.rows[reason] = self.rows.get(reason, 0) + row.rows
        if reason == CANNOT_BE_READ and len(self.broken) < BROKEN_NAMED_MAX:
            self.broken.append(row.reason)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLoad:
    """What loading one kind of one session from one source did."""

    kind: MarketKind
    source: str
    files: tuple[str, ...]
    report: LoadReport
    left_out: LeftOut


class Standing(StrEnum):
    """How a session stands with the sources of history."""

    LOADED = "loaded"
    UNTOLD = "no source has it"
    LIVE = "not over: the live capture's"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLoads:
    """All that was done for one session."""

    session: date
    standing: Standing
    loads: tuple[SessionLoad, ...] = ()

    @property
    def total(self) -> int:
        """Rows that the sources told and the store took."""
        return sum(load.report.total - load.report.refused for load in self.loads)

    @property
    def new(self) -> int:
        """Rows that were not there."""
        return sum(load.report.new for load in self.loads)

    @property
    def left_out(self) -> dict[str, int]:
        """Lines that did not become rows, by reason."""
        found: dict[str, int] = {}
        for load in self.loads:
            for reason, rows in load.left_out.rows.items():
                found[reason] = found.get(reason, 0) + rows
        return found

    @property
    def broken(self) -> tuple[str, ...]:
        """Files, or parts of them, that could not be read: what they hold is missing."""
        return tuple(dict.fromkeys(name for load in self.loads for name in load.left_out.broken))


def load_market(
    kinds: Sequence[MarketKind], sessions: SessionRange, tools: MarketTools
) -> Sequence[MarketLoads]:
    """Load the kinds of every session of the range that is over."""
    return [
        _load_session(kinds, session, tools) for session in sessions_between(sessions.first, sessions.last)
    ]


def _load_session(kinds: Sequence[MarketKind], session: date, tools: MarketTools) -> MarketLoads:
    if tools.clock.now() < session_close(session):
        return MarketLoads(session=session, standing=Standing.LIVE)
    loads = tuple(
        load
        for kind in kinds
        for history in tools.histories
        if (load := _load(kind, session, history, tools.store)) is not None
    )
    standing = Standing.LOADED if loads else Standing.UNTOLD
    return MarketLoads(session=session, standing=standing, loads=loads)


def _load(kind: MarketKind, session: date, history: MarketHistory, store: MarketStore) -> SessionLoad | None:
    rows = history.rows(kind, session)
    if rows is None:
        return None
    left_out = LeftOut()
    report = store.load(kind, session, history.name, _counted(rows, left_out))
    return SessionLoad(
        kind=kind,
        source=history.name,
        files=tuple(history.files(kind, session)),
        report=report,
        left_out=left_out,
    )


def _counted(rows: Iterator[MarketRow], left_out: LeftOut) -> Iterator[MarketRow]:
    for row in rows:
        if isinstance(row, RefusedRow):
            left_out.add(row)
        yield row
