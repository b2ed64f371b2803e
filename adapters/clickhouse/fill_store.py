"""Fills in ClickHouse, exactly once: staging, one server-side anti-join, and the report of what a batch did.

What goes wrong without this shape: a look-up followed by an insert lets two processes both insert; a
deduplication token on the move drops rows after a half-done move; a batch that is compared with all of
history gets slower every day. So a batch is staged under an attempt of its own, judged and moved inside
ClickHouse against its own sessions only, and looked for afterwards. Every step may be killed: what is
stored stays, what is not comes with the next try, and what reads (`core.fills`) is unique by
construction. Parsing and meaning of fills belong elsewhere.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
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
    commissions_table,
    fill_of,
    revision_of,
    with_constant,
)
from adapters.clickhouse.fill_staging import (
    STAGED_ROWS_MAX,
    UNFIT_ERRORS,
    ToldFills,
    told_fills,
    without_unfit,
)
from trading.errors import DeskError, WarehouseError
from trading.model.fills import CommissionFact, Fill, FillBatch, FillRevision, RejectedRow, Venue
from trading.ports.fill_store import BatchReport, FillStore

logger = logging.getLogger(__name__)

KEYS_FIRST_FROM = 5_000  # rows: below, two more requests cost more than columns that are sent in vain
SAMPLE_ROWS = 100  # of a large batch, to guess whether it is a repeat
MOVE_ATTEMPTS = 2  # another writer may store rows between judgement and move; none takes them away


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the server found: counts of staged rows, and the (account, session) pairs that change."""

    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    touched: frozenset[tuple[str, date]] = frozenset()


class ClickHouseFillStore(FillStore):
    """The port on a real or embedded server. `now` is asked for the audit only, never for a fill's time."""

    def __init__(self, warehouse: Warehouse, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._warehouse = warehouse
        self._audit = BatchAudit(warehouse, now)

    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        """Store what is new of a batch and say what it did; safe to repeat and to run twice at once."""
        try:
            return self._record(batch, (), received_at)
        except UNFIT_ERRORS:
            kept, refused = without_unfit(batch)
            return self._record(replace(batch, fills=tuple(kept)), tuple(refused), received_at)

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

    def _record(self, batch: FillBatch, unfit: tuple[RejectedRow, ...], received_at: datetime) -> BatchReport:
        told = told_fills(batch)
        attempt_id = uuid4().hex
        fills = self._store_fills(told, attempt_id, received_at)
        fees_touched, new_fees = self._store_fees(batch.commissions, told.batch_id, attempt_id, received_at)
        self._store_coverage(batch, told.batch_id)
        report = BatchReport(
            batch_id=told.batch_id,
            origin=batch.origin,
            total=batch.total_rows + len(unfit),
            new=fills.new,
            duplicates=fills.duplicates + told.repeated,
            corrected=fills.corrected,
            rejected=sum(row.is_trade_row for row in batch.rejected) + len(unfit),
            first_fill_at=min((revision.fill_ts for revision in batch.fills), default=None),
            last_fill_at=max((revision.fill_ts for revision in batch.fills), default=None),
            touched=tuple(sorted(fills.touched | fees_touched)),
        )
        self._audit.record(batch, report, (*batch.rejected, *unfit), attempt_id, new_fees, received_at)
        return report

    def _store_fills(self, told: ToldFills, attempt_id: str, received_at: datetime) -> Outcome:
        """Judge and move. Of a large batch that looks known only the keys are sent, and whole what is new."""
        if not told.revisions:
            return Outcome()
        by_keys = len(told.revisions) >= KEYS_FIRST_FROM and self._looks_known(told)
        judged_id = f"{attempt_id}-keys" if by_keys else attempt_id
        tables = told.key_tables() if by_keys else told.full_tables(received_at)
        self._stage("core.fill_staging", tables, judged_id)
        judged = self._warehouse.rows(sql.query("fills_classify"), {"attempt_id": judged_id})[0]
        touched = {(account, session) for account, session in judged["touched"]}
        if judged["missing"]:
            if by_keys:
                missing = told.only(set(judged["missing_hashes"]))
                self._stage("core.fill_staging", missing.full_tables(received_at), attempt_id)
            touched |= self._cancelled_sessions(told.revisions, attempt_id)
            self._move("fills", judged["missing"], attempt_id)
        for staged_id in {judged_id, attempt_id} if judged["missing"] else {judged_id}:
            self._unstage("core.fill_staging", staged_id)
        return Outcome(
            new=judged["new"],
            duplicates=judged["duplicates"],
            corrected=judged["corrected"],
            touched=frozenset(touched),
        )

    def _looks_known(self, told: ToldFills) -> bool:
        """Say whether most of a sample is stored already; a wrong guess costs time, never a row."""
        places = range(0, len(told.revisions), max(1, len(told.revisions) // SAMPLE_ROWS))
        sample = [told.revisions[place] for place in places]
        asked = {
            "venue": str(sample[0].venue),
            "accounts": sorted({revision.account for revision in sample}),
            "sessions": sorted({revision.session for revision in sample}),
            "hashes": [told.hashes[place] for place in places],
        }
        known: int = self._warehouse.rows(sql.query("fills_known_of"), asked)[0]["known"]
        return known * 2 > len(sample)

    def _store_fees(
        self, facts: Sequence[CommissionFact], batch_id: str, attempt_id: str, received_at: datetime
    ) -> tuple[frozenset[tuple[str, date]], int]:
        if not facts:
            return frozenset(), 0
        parts = (facts[start : start + STAGED_ROWS_MAX] for start in range(0, len(facts), STAGED_ROWS_MAX))
        tables = (commissions_table(part, batch_id, received_at) for part in parts)
        self._stage("core.commission_staging", tables, attempt_id)
        judged = self._warehouse.rows(sql.query("commissions_missing"), {"attempt_id": attempt_id})[0]
        if judged["missing"]:
            self._move("commissions", judged["missing"], attempt_id)
        self._unstage("core.commission_staging", attempt_id)
        touched = ((account, session) for account, session in judged["touched"] if session != SESSION_UNKNOWN)
        return frozenset(touched), judged["missing"]

    def _cancelled_sessions(
        self, revisions: Sequence[FillRevision], attempt_id: str
    ) -> set[tuple[str, date]]:
        tied = (row.cancels_trade_id or (row.trade_id and not row.exec_id) for row in revisions)
        if not any(tied):
            return set()
        found = self._warehouse.rows(sql.query("fills_cancelled_sessions"), {"attempt_id": attempt_id})
        return {(row["account"], row["session"]) for row in found}

    def _stage(self, target: str, tables: Iterable[pa.Table], attempt_id: str) -> None:
        for place, table in enumerate(tables):
            staged = with_constant(table, "attempt_id", attempt_id)
            self._warehouse.insert_arrow(target, staged, token=f"{attempt_id}-{place}")

    def _move(self, what: str, expected: int, attempt_id: str) -> None:
        """Move, and look whether all is there unless the count says so; a second look is an error."""
        asked = {"attempt_id": attempt_id}
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
        told = sha1(repr(sorted(row[:5] for row in rows)).encode(), usedforsecurity=False).hexdigest()
        # Batches without fills are alike, what they cover is not: the token is of the intervals.
        self._warehouse.insert("core.coverage", columns, rows, token=f"coverage-{told}")
