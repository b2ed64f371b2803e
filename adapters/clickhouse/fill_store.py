"""Fills in ClickHouse, exactly once: staging, one server-side anti-join, and the report of what a batch did.

What goes wrong without this shape: a look-up followed by an insert lets two processes both insert; a
deduplication token on the move drops rows after a half-done move; a batch that is compared with all of
history gets slower every day. So a batch is staged under an attempt of its own, judged and moved inside
ClickHouse against its own sessions only, and looked for afterwards. Every step may be killed: what is
stored stays, what is not comes with the next try, and what reads (`core.fills`) is unique by
construction. Parsing and meaning of fills belong elsewhere.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha1
from typing import Any
from uuid import uuid4

import pyarrow as pa

import sql
from adapters.clickhouse.batch_audit import BatchAudit
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_rows import (
    SESSION_UNKNOWN,
    UNFIT_ERRORS,
    commissions_table,
    fill_of,
    fits,
    revision_of,
    revisions_table,
    with_constant,
)
from trading.errors import DeskError, WarehouseError, shown
from trading.model.fills import (
    CommissionFact,
    Fill,
    FillBatch,
    FillRevision,
    RejectedRow,
    Venue,
    content_hashes,
)
from trading.ports.fill_store import BatchReport, FillStore
from trading.services.judge_fills import ToldBefore, told_before

logger = logging.getLogger(__name__)

STAGED_ROWS_MAX = 200_000  # rows per insert: bounds the memory of one block in Python and in the engine
MOVE_ATTEMPTS = (
    2  # a concurrent writer may take rows between the judgement and the move; it never takes them away
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the server found: counts of staged rows, and the (account, session) pairs that change."""

    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    touched: frozenset[tuple[str, date]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """A batch laid out in columns: without what it tells twice, and without what no column holds."""

    batch_id: str
    tables: tuple[pa.Table, ...]
    repeated: int
    refused: tuple[RejectedRow, ...]


class ClickHouseFillStore(FillStore):
    """The port on a real or embedded server. `now` is asked for the audit only, never for a fill's time."""

    def __init__(self, warehouse: Warehouse, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._warehouse = warehouse
        self._audit = BatchAudit(warehouse, now)

    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        """Store what is new of a batch and say what it did; safe to repeat and to run twice at once."""
        staging = _staging(batch, received_at)
        attempt_id = uuid4().hex
        fills = self._store_fills(batch.fills, staging, attempt_id)
        fees_touched, new_fees = self._store_fees(
            batch.commissions, staging.batch_id, attempt_id, received_at
        )
        self._store_coverage(batch, staging.batch_id)
        report = BatchReport(
            batch_id=staging.batch_id,
            origin=batch.origin,
            total=batch.total_rows,
            new=fills.new,
            duplicates=fills.duplicates + staging.repeated,
            corrected=fills.corrected,
            rejected=sum(row.is_trade_row for row in batch.rejected) + len(staging.refused),
            first_fill_at=min((revision.fill_ts for revision in batch.fills), default=None),
            last_fill_at=max((revision.fill_ts for revision in batch.fills), default=None),
            touched=tuple(sorted(fills.touched | fees_touched)),
        )
        refused = (*batch.rejected, *staging.refused)
        self._audit.record(batch, report, refused, attempt_id, new_fees, received_at)
        return report

    def fills(self, venue: Venue, account: str, sessions: Collection[date]) -> Sequence[Fill]:
        """Return the fills whose winning revision lies in these sessions, in FIFO order."""
        asked = {"venue": str(venue), "account": account, "sessions": sorted(sessions)}
        return (
            [fill_of(row) for row in self._warehouse.rows(sql.query("fills_of_sessions"), asked)]
            if sessions
            else []
        )

    def revisions(self, venue: Venue, account: str, fill_id: str) -> Sequence[FillRevision]:
        """Return every version of one fill, lowest precedence first."""
        asked = {"venue": str(venue), "account": account, "fill_id": fill_id}
        return [revision_of(row) for row in self._warehouse.rows(sql.query("fill_revisions_of"), asked)]

    def sessions_with_fills(self, venue: Venue, account: str, start: date, end: date) -> Sequence[date]:
        """Return the sessions in [start, end] that hold any fill revision, ascending."""
        asked = {"venue": str(venue), "account": account, "start": start, "end": end}
        return [row["session"] for row in self._warehouse.rows(sql.query("sessions_with_fills"), asked)]

    def accounts(self) -> Sequence[tuple[Venue, str]]:
        """Return every (venue, account) that has fills or statements."""
        return [(Venue(row["venue"]), row["account"]) for row in self._warehouse.rows(sql.query("accounts"))]

    def _store_fills(self, revisions: Sequence[FillRevision], staging: Staging, attempt_id: str) -> Outcome:
        if not staging.tables:
            return Outcome()
        for place, table in enumerate(staging.tables):
            self._stage("core.fill_staging", table, attempt_id, place)
        asked = {"attempt_id": attempt_id}
        judged = self._warehouse.rows(sql.query("fills_classify"), asked)[0]
        touched = {(account, session) for account, session in judged["touched"]}
        if judged["missing"]:
            touched |= self._cancelled_sessions(revisions, asked)
            self._move("fills", judged["missing"], asked)
        self._unstage("core.fill_staging", attempt_id)
        return Outcome(
            new=judged["new"],
            duplicates=judged["duplicates"],
            corrected=judged["corrected"],
            touched=frozenset(touched),
        )

    def _store_fees(
        self, facts: Sequence[CommissionFact], batch_id: str, attempt_id: str, received_at: datetime
    ) -> tuple[frozenset[tuple[str, date]], int]:
        if not facts:
            return frozenset(), 0
        for start in range(0, len(facts), STAGED_ROWS_MAX):
            part = facts[start : start + STAGED_ROWS_MAX]
            self._stage(
                "core.commission_staging", commissions_table(part, batch_id, received_at), attempt_id, start
            )
        asked = {"attempt_id": attempt_id}
        judged = self._warehouse.rows(sql.query("commissions_missing"), asked)[0]
        if judged["missing"]:
            self._move("commissions", judged["missing"], asked)
        self._unstage("core.commission_staging", attempt_id)
        touched = ((account, session) for account, session in judged["touched"] if session != SESSION_UNKNOWN)
        return frozenset(touched), judged["missing"]

    def _cancelled_sessions(
        self, revisions: Sequence[FillRevision], asked: dict[str, str]
    ) -> set[tuple[str, date]]:
        if not any(revision.cancels_trade_id for revision in revisions):
            return set()
        found = self._warehouse.rows(sql.query("fills_cancelled_sessions"), asked)
        return {(row["account"], row["session"]) for row in found}

    def _stage(self, target: str, table: pa.Table, attempt_id: str, start: int) -> None:
        staged = with_constant(table, "attempt_id", attempt_id)
        self._warehouse.insert_arrow(target, staged, token=f"{attempt_id}-{start}")

    def _move(self, what: str, expected: int, asked: dict[str, str]) -> None:
        """Move, and look whether all is there unless the count says so; a second look is an error."""
        for _ in range(MOVE_ATTEMPTS):
            if self._warehouse.command(sql.query(f"{what}_move"), asked) == expected:
                return
            missing: Any = self._warehouse.rows(sql.query(f"{what}_missing"), asked)[0]["missing"]
            if not missing:
                return
        raise WarehouseError(f"{what}_move: expected every staged row to be stored, {missing} are not")

    def _unstage(self, target: str, attempt_id: str) -> None:
        """Drop what was staged; a drop that fails costs a day of disk, never the batch."""
        try:
            self._warehouse.command(
                f"alter table {target} drop partition {{attempt_id:String}}", {"attempt_id": attempt_id}
            )
        except DeskError as error:
            logger.warning("unstage_failed table=%s attempt_id=%s error=%s", target, attempt_id, error)

    def _store_coverage(self, batch: FillBatch, batch_id: str) -> None:
        rows = [(str(c.venue), c.account, str(c.source), c.start, c.end, batch_id) for c in batch.coverage]
        columns = ("venue", "account", "source", "start_at", "end_at", "batch_id")
        self._warehouse.insert("core.coverage", columns, rows, token=f"coverage-{batch_id}")


def _staging(batch: FillBatch, received_at: datetime) -> Staging:
    """Leave out what the batch tells twice, mark other versions of a fill, and lay out in columns."""
    hashes = content_hashes(batch.fills)
    marks = told_before(batch.fills, hashes)
    kept = [place for place, mark in enumerate(marks) if mark is not ToldBefore.IDENTICAL]
    batch_id = _batch_id(batch, hashes)
    tables: list[pa.Table] = []
    refused: list[RejectedRow] = []
    for start in range(0, len(kept), STAGED_ROWS_MAX):
        places = kept[start : start + STAGED_ROWS_MAX]
        try:
            tables.append(_table(batch, places, hashes, marks, batch_id, received_at))
        except UNFIT_ERRORS:
            good = [place for place in places if fits(batch.fills[place])]
            refused += [_refused(batch, place) for place in places if not fits(batch.fills[place])]
            if good:
                tables.append(_table(batch, good, hashes, marks, batch_id, received_at))
    repeated = len(marks) - len(kept)
    return Staging(batch_id=batch_id, tables=tuple(tables), repeated=repeated, refused=tuple(refused))


def _table(
    batch: FillBatch,
    places: Sequence[int],
    hashes: Sequence[str],
    marks: Sequence[ToldBefore],
    batch_id: str,
    received_at: datetime,
) -> pa.Table:
    revisions = [batch.fills[place] for place in places]
    table = revisions_table(revisions, [hashes[place] for place in places], batch_id, received_at)
    return table.append_column("told_before", pa.array([marks[place] for place in places], pa.uint8()))


def _refused(batch: FillBatch, place: int) -> RejectedRow:
    revision = batch.fills[place]
    return RejectedRow(
        venue=revision.venue,
        source=revision.source,
        reason=f"fill {shown(revision.fill_id)}: expected figures that the warehouse's columns hold, was "
        f"quantity {revision.quantity}, price {revision.price}, multiplier {revision.multiplier}",
        payload=revision.raw,
        account=revision.account,
    )


def _batch_id(batch: FillBatch, hashes: Sequence[str]) -> str:
    """Hash of what the batch says, whatever the order of its rows and the name of its file."""
    told = [*hashes, *(f"{fact.commission_key}={fact.content_hash}" for fact in batch.commissions)]
    told += [f"{row.reason}={row.payload}" for row in batch.rejected]
    text = "\x1f".join((str(batch.venue), str(batch.source), *sorted(told)))
    return sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
