"""A load: one session of one source and kind, all of it or nothing for who reads.

The rows are written first, under an id of their own; then their number is held against what was sent, and the
pointer `core.market_loads` moves last. Rows that say what the load before said move nothing and are dropped;
they are compared from the rows of both, and only where a load stands.
The load before stays until the next one that differs, for readers that are under way; what killed loads left
goes with it. Memory is bounded by one part.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_columns import TABLES
from adapters.clickhouse.market_minutes import MarketMinutes
from adapters.clickhouse.market_refusals import (
    letter_of_misfit,
    letter_of_refused,
    store_letters,
)
from adapters.clickhouse.market_rows import (
    AS_TOLD,
    HOUR_US,
    Misfit,
    Origin,
    ToldRows,
    fitting,
    laid_out,
    told_rows,
)
from trading.errors import WarehouseError
from trading.model.market import ChainSnapshot, MarketKind, MarketRow, RefusedRow
from trading.ports.market_store import LoadReport

ROWS_PER_PART = 50_000  # of a load, held in memory at once
ROLLED_UP_AT_ONCE = 2_000_000  # rows whose minutes are computed by one statement
HOUR_S = 3_600
NUMBERS = 1_000  # loads of one microsecond are told apart by a random number


@dataclass(slots=True)
class RunningLoad:
    """What a load has done so far."""

    kind: MarketKind
    session: date
    source: str
    load_id: int
    heard_at: datetime
    sent: int = 0
    parts: int = 0
    refused: int = 0
    letters: Counter[bytes] = field(default_factory=Counter)  # those that were stored, by what they say
    hours: Counter[tuple[int, str]] = field(default_factory=Counter)  # rows by hour (seconds) and symbol

    @property
    def name(self) -> str:
        """Where its refused rows come from; a repeat has the same name."""
        return f"load {self.source} {self.kind} {self.session.isoformat()}"

    @property
    def asked(self) -> dict[str, object]:
        """Parameters of the queries about its rows."""
        return {"rows": TABLES[self.kind].rows, "session": self.session, "load_id": self.load_id}

    def count(self, table: pa.Table) -> None:
        """Rows that were sent, and the hours that are rolled up for them."""
        self.sent += table.num_rows
        if TABLES[self.kind].minutes is not None:
            hour = pa.array(table.column("at").cast(pa.int64()).to_numpy() // HOUR_US * HOUR_S)
            named = pa.table({"hour": hour, "symbol": table.column("symbol")}).group_by(["hour", "symbol"])
            for row in named.aggregate([([], "count_all")]).to_pylist():
                self.hours[row["hour"], row["symbol"]] += row["count_all"]


class MarketLoads:
    """Loads into the tables of market data."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._minutes = MarketMinutes(warehouse)

    def load(
        self, kind: MarketKind, session: date, source: str, rows: Iterable[MarketRow], heard_at: datetime
    ) -> LoadReport:
        """Store one session's rows of a source in place of what it said before."""
        if kind not in TABLES:
            raise WarehouseError(f"load: expected a kind that has a table, was {kind}")
        load_id = self._next_id(kind, session, source)
        running = RunningLoad(kind=kind, session=session, source=source, load_id=load_id, heard_at=heard_at)
        for part in _parts(rows):
            self._send(running, part)
        refused = running.refused
        told = self._told(running)
        before = self._standing(kind, session, source)
        if before and self._is_same(running, int(before["load_id"])):
            self._drop_rows(running, load_id)
            return _report(running, told, new=0, refused=refused)
        new = self._new(running, before["load_id"]) if before else int(told["rows"])
        self._roll_up(running)
        self._point(running, told, refused)
        self._sweep(running, keep={load_id, before["load_id"] if before else 0})
        return _report(running, told, new=new, refused=refused)

    def _send(self, running: RunningLoad, part: list[MarketRow]) -> None:
        kept = [row for row in part if not isinstance(row, RefusedRow)]
        letters = [
            letter_of_refused(row, running.source, running.name, running.heard_at)
            for row in part
            if isinstance(row, RefusedRow)
        ]
        origin = Origin(
            source=running.source,
            heard_at=running.heard_at,
            load_id=running.load_id,
            entry_seq=running.parts,
        )
        running.parts += 1
        told = told_rows(running.kind, [(origin, kept)])
        tables, misfits = fitting(told)
        if tables:
            table, strangers = _of_session(told, pa.concat_tables(tables), running.session)
            misfits += strangers
            token = f"load-{running.load_id}-{running.parts}"
            name = f"core.{TABLES[running.kind].rows}"
            self._warehouse.insert_arrow(name, laid_out(running.kind, table), token, AS_TOLD)
            running.count(table)
        letters += [letter_of_misfit(misfit, running.name) for misfit in misfits]
        running.refused += store_letters(self._warehouse, letters, running.letters)

    def _told(self, running: RunningLoad) -> Mapping[str, Any]:
        asked = running.asked | {"at": TABLES[running.kind].at}
        (told,) = self._warehouse.rows(sql.query("market_load_rows"), asked)
        if TABLES[running.kind].has_versions or told["rows"] != running.sent:
            told = told | {"rows": self._contents(running, running.load_id)["rows"]}  # each row once
        if told["rows"] != running.sent and not TABLES[running.kind].has_versions:
            raise WarehouseError(f"{running.name}: expected {running.sent} rows stored, was {told['rows']}")
        return told

    def _contents(self, running: RunningLoad, load_id: int) -> Mapping[str, Any]:
        asked = running.asked | {"load_id": load_id}
        return self._warehouse.rows(sql.query("market_load_digest"), asked)[0]

    def _is_same(self, running: RunningLoad, before: int) -> bool:
        """Whether the load that stands holds what this one told; what expired of it is not held."""
        return self._contents(running, running.load_id) == self._contents(running, before)

    def _next_id(self, kind: MarketKind, session: date, source: str) -> int:
        """Higher than that of the load that stands, whatever the clock says."""
        before = self._standing(kind, session, source)
        by_clock = time.time_ns() // 1_000 * NUMBERS + secrets.randbelow(NUMBERS)
        return max(by_clock, int(before["load_id"]) + 1 if before else 0)

    def _standing(self, kind: MarketKind, session: date, source: str) -> Mapping[str, Any] | None:
        asked = {"kind": str(kind), "session": session, "source": source}
        found = self._warehouse.rows(sql.query("market_load_current"), asked)
        return found[0] if found else None

    def _new(self, running: RunningLoad, before: int) -> int:
        asked = running.asked | {"before": before}
        return int(self._warehouse.value(sql.query("market_load_new"), asked) or 0)

    def _roll_up(self, running: RunningLoad) -> None:
        asked = {"session": running.session, "source": running.source, "load_id": running.load_id}
        for group in _groups(running.hours):
            self._minutes.compute_hours(running.kind, asked, group)

    def _point(self, running: RunningLoad, told: Mapping[str, Any], refused: int) -> None:
        columns = (
            "kind",
            "session",
            "source",
            "load_id",
            "rows",
            "refused",
            "oldest_at",
            "newest_at",
        )
        row = (
            str(running.kind),
            running.session,
            running.source,
            running.load_id,
            told["rows"],
            refused,
            told["oldest_at"],
            told["newest_at"],
        )
        self._warehouse.insert("core.market_loads", columns, [row], f"load-{running.load_id}")
        standing = self._standing(running.kind, running.session, running.source)
        if standing is None or standing["load_id"] != running.load_id:
            raise WarehouseError(f"{running.name}: overtaken by a load that began later")

    def _sweep(self, running: RunningLoad, keep: set[int]) -> None:
        """Drop what earlier loads of this session and source left; one that runs now has a higher id, or is
        overtaken and says so.
        """
        asked = {"rows": TABLES[running.kind].rows, "session": running.session, "source": running.source}
        for row in self._warehouse.rows(sql.query("market_loads_left"), asked):
            if row["load_id"] not in keep and row["load_id"] < running.load_id:
                self._drop(running, row["load_id"])

    def _drop(self, running: RunningLoad, load_id: int) -> None:
        self._drop_rows(running, load_id)
        minutes = TABLES[running.kind].minutes
        if minutes is not None:
            self._delete(f"{minutes}_rows", {"session": running.session, "load_id": load_id})

    def _drop_rows(self, running: RunningLoad, load_id: int) -> None:
        kind = TABLES[running.kind]
        asked = {"session": running.session, "load_id": load_id}
        if kind.is_parted:
            self._warehouse.command(
                f"alter table core.{kind.rows} drop partition tuple({{session:Date}}, {{load_id:UInt64}})",
                asked,
            )
        else:
            self._delete(kind.rows, asked)

    def _delete(self, table: str, asked: Mapping[str, object]) -> None:
        where = "session = {session:Date} and load_id = {load_id:UInt64}"
        self._warehouse.command(f"delete from core.{table} where {where}", asked)


def _parts(rows: Iterable[MarketRow]) -> Iterator[list[MarketRow]]:
    """Parts of bounded size; a snapshot of a chain counts its contracts."""
    part: list[MarketRow] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row.contracts) if isinstance(row, ChainSnapshot) else 1
        if size >= ROWS_PER_PART:
            yield part
            part, size = [], 0
    if part:
        yield part


def _of_session(told: ToldRows, table: pa.Table, session: date) -> tuple[pa.Table, list[Misfit]]:
    """The rows of this session, and apart from them those of another."""
    is_own = pc.equal(table.column("session"), pa.scalar(session, pa.date32()))
    if pc.all(is_own).as_py():
        return table, []
    strangers = table.filter(pc.invert(is_own))
    places = strangers.column("place").to_numpy()
    found = zip(np.asarray(places), strangers.column("session").to_pylist(), strict=True)
    misfits = [
        Misfit(
            row=told.rows[int(place)],
            origin=told.origins[0],
            place=int(place),
            reason=f"{told.kind}: session: expected a time of {session}, was one of {other}",
        )
        for place, other in found
    ]
    return table.filter(is_own), misfits


def _groups(hours: Mapping[tuple[int, str], int]) -> Iterator[list[tuple[int, str]]]:
    """Hours of symbols in their order, of about so many rows together."""
    group: list[tuple[int, str]] = []
    size = 0
    for hour, rows in sorted(hours.items()):
        if group and size + rows > ROLLED_UP_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(hour)
        size += rows
    if group:
        yield group


def _report(running: RunningLoad, told: Mapping[str, Any], *, new: int, refused: int) -> LoadReport:
    return LoadReport(
        kind=running.kind,
        total=running.sent + refused,
        new=new,
        repeated=running.sent - new,
        refused=refused,
        oldest_at=told["oldest_at"],
        newest_at=told["newest_at"],
    )
