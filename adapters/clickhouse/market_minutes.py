"""Minutes of quotes and trades: which of them are computed from their rows, and when.

A minute is computed by naming it, after its rows are stored: a view reads all its rows again, and the newest
figures stand (decisions/0010). Naming it twice changes nothing, and costs all its rows. With `waits`, a
minute that still runs is therefore not computed with each batch but once it is over, and every SETTLE_S
meanwhile.

What goes wrong without more: its rows are acknowledged, the process is killed, and nobody computes it. So a
minute that waits is noted in the warehouse, after its rows and before anything is acknowledged, once and not
with each batch; whoever settles later computes what others left. A note is of one writer: only what that
writer noted is answered by what it computed, so that none takes a minute for done that another still fills.
Notes of others are answered when they are an hour old; a writer that slept so long notes again (NOTE_LIFE_S)
after it stored its rows. What comes as a repeat is computed at once.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_columns import TABLES
from adapters.clickhouse.market_rows import minutes_of
from trading.errors import WarehouseError
from trading.model.market import MarketKind

NO_DEDUPLICATION = {"insert_deduplicate": 0}  # minutes that are named again are computed again
NAMES_PER_QUERY = 2_000  # minutes that are named by one statement
SPAN_GAP_S = 900  # all between the first and the last minute of a statement is read: no longer gap within one
SPANS_MAX = 16  # of one batch; where more gaps are, the longest part
SETTLE_S = 10.0  # a minute that runs is computed so often
ADOPT_S = 300.0  # what other writers left is looked for so often
NOTE_LIFE_S = 600.0  # after so long a note is written again; those of others are answered after an hour
LEFT_MAX = 10_000  # minutes of others that are computed at once
TWICE = "a row of the minute lies there twice"  # in these words the quick view refuses
NOTES = "core.market_minutes_waiting"
COLUMNS = ("writer", "kind", "session", "symbol", "source", "minute", "number", "is_computed")


class Minute(NamedTuple):
    """One minute of one symbol and teller; `start` in seconds since 1970."""

    session: date
    symbol: str
    source: str
    load_id: int
    start: int


class Note(NamedTuple):
    """What the warehouse was told of a minute that waits: when, on this process's clock, and its number."""

    noted_s: float
    number: int


class MarketMinutes:
    """Computes minutes, at once or, with `waits`, when they are over."""

    def __init__(
        self, warehouse: Warehouse, *, waits: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._warehouse = warehouse
        self._waits = waits
        self._monotonic = monotonic
        self._writer = uuid4().hex
        self._notes: dict[tuple[MarketKind, Minute], Note] = {}
        self._told = 0  # numbers of this writer's notes
        self._settled_s = monotonic()
        self._adopted_s: float | None = None

    def rows_stored(self, kind: MarketKind, table: pa.Table, *, is_repeat: bool) -> None:
        """These rows are in the warehouse; not acknowledged yet."""
        if TABLES[kind].minutes is None:
            return
        minutes = {Minute(*told) for told in minutes_of(table)}
        if is_repeat or not self._waits:
            self.compute(kind, minutes)
            return
        waiting = {minute for of, minute in self._notes if of is kind}
        running = _running(minutes | waiting)
        self._note(kind, running & minutes)
        self._finish(kind, (minutes | waiting) - running)

    def compute(self, kind: MarketKind, minutes: Iterable[Minute]) -> None:
        """Have these computed from their rows now."""
        for span in spans(minutes):
            for start in range(0, len(span), NAMES_PER_QUERY):
                self._name(kind, span[start : start + NAMES_PER_QUERY])

    def settle(self, *, at_once: bool = False) -> None:
        """Compute what waits, if it is time or `at_once`; now and then what another writer left, too."""
        if not self._waits:
            return
        now = self._monotonic()
        if at_once or now - self._settled_s >= SETTLE_S:
            for kind in {of for of, _ in self._notes}:
                self._finish(kind, {minute for of, minute in self._notes if of is kind})
            self._settled_s = now
        if self._adopted_s is None or now - self._adopted_s >= ADOPT_S:
            self._adopt()
            self._adopted_s = now

    def compute_hours(
        self, kind: MarketKind, asked: Mapping[str, object], hours: Sequence[tuple[int, str]]
    ) -> None:
        """Have all minutes of these hours (seconds since 1970, symbol) of a load computed."""
        symbols, starts = [symbol for _, symbol in hours], [start for start, _ in hours]
        self._touch("market_load_touch", kind, {**asked, "symbols": symbols, "hours": starts})

    def _name(self, kind: MarketKind, minutes: Sequence[Minute]) -> None:
        sessions, symbols, sources, loads, starts = zip(*minutes, strict=True)
        asked = {
            "sessions": list(sessions),
            "symbols": list(symbols),
            "sources": list(sources),
            "loads": list(loads),
            "minutes_s": list(starts),
        }
        self._touch("market_minutes_touch", kind, asked)

    def _touch(self, query: str, kind: MarketKind, asked: Mapping[str, object]) -> None:
        """Name minutes to the view that takes rows as they lie, or to the one that looks for repeats."""
        text, minutes = sql.query(query), TABLES[kind].minutes
        try:
            named = {**asked, "minutes": f"{minutes}s_touched"}
            self._warehouse.command(text, named, NO_DEDUPLICATION)
        except WarehouseError as error:
            if TWICE not in str(error):
                raise
            named = {**asked, "minutes": f"{minutes}s_told_twice"}
            self._warehouse.command(text, named, NO_DEDUPLICATION)

    def _note(self, kind: MarketKind, minutes: Iterable[Minute]) -> None:
        """Write down that these wait, but those that are written down and not long ago."""
        now = self._monotonic()
        fresh = []
        for minute in minutes:
            before = self._notes.get((kind, minute))
            if before is None or now - before.noted_s >= NOTE_LIFE_S:
                fresh.append(minute)
        if fresh:
            self._told += 1
            self._write([_cells(self._writer, kind, minute, 2 * self._told) for minute in fresh])
            self._notes |= {(kind, minute): Note(now, 2 * self._told) for minute in fresh}

    def _finish(self, kind: MarketKind, minutes: Collection[Minute]) -> None:
        """Compute these, and answer the notes that say that they wait."""
        self.compute(kind, minutes)
        noted = {minute: self._notes[kind, minute] for minute in minutes if (kind, minute) in self._notes}
        if noted:
            cells = [_cells(self._writer, kind, minute, note.number + 1) for minute, note in noted.items()]
            self._write(cells)
            for minute in noted:
                del self._notes[kind, minute]

    def _adopt(self) -> None:
        """Compute what others noted and did not answer: they were killed, or are about to compute it."""
        asked = {"writer": self._writer, "left_max": LEFT_MAX}
        left = self._warehouse.rows(sql.query("market_minutes_left"), asked)
        for kind in sorted({MarketKind(row["kind"]) for row in left}):
            self.compute(kind, [_minute(row) for row in left if row["kind"] == kind])
        old = [row for row in left if row["is_old"]]
        self._write(
            [_cells(row["writer"], MarketKind(row["kind"]), _minute(row), row["number"] + 1) for row in old]
        )

    def _write(self, cells: Sequence[Sequence[object]]) -> None:
        self._warehouse.insert(NOTES, COLUMNS, cells, f"minutes-{uuid4().hex}")


def spans(minutes: Iterable[Minute]) -> Iterator[list[Minute]]:
    """The minutes in order, cut at their longest gaps."""
    told = sorted(minutes, key=lambda minute: (minute.start, minute))
    gaps = [(after.start - before.start, place) for place, (before, after) in enumerate(pairwise(told), 1)]
    cuts = sorted(place for gap, place in sorted(gaps)[1 - SPANS_MAX :] if gap > SPAN_GAP_S)
    for first, last in pairwise([0, *cuts, len(told)] if told else []):
        yield told[first:last]


def _running(minutes: Iterable[Minute]) -> set[Minute]:
    """The newest minute of each source: its clock may be that of another year."""
    told = list(minutes)
    newest: dict[str, int] = {}
    for minute in told:
        newest[minute.source] = max(minute.start, newest.get(minute.source, minute.start))
    return {minute for minute in told if minute.start == newest[minute.source]}


def _cells(writer: str, kind: MarketKind, minute: Minute, number: int) -> tuple[object, ...]:
    """A note, whose number is even, or the answer to it, which is one higher."""
    start = datetime.fromtimestamp(minute.start, UTC)
    return writer, str(kind), minute.session, minute.symbol, minute.source, start, number, bool(number % 2)


def _minute(row: dict[str, Any]) -> Minute:
    return Minute(row["session"], row["symbol"], row["source"], 0, int(row["minute"].timestamp()))
