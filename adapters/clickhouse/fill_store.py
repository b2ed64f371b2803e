"""Fills in ClickHouse, exactly once: staging, one server-side anti-join, and the report of what a batch did.

What goes wrong without this shape: a look-up followed by an insert lets two processes both insert; a
deduplication token on the move drops rows after a half-done move; a batch that is compared with all of
history gets slower every day; a batch at a time costs a dozen requests for each small file. So some batches
are staged under an attempt of their own, judged and moved inside ClickHouse against their own sessions only,
and looked for afterwards. Every step may be killed: what is stored stays, what is not comes with the next
try, and what reads (`core.fills`) is unique by construction. Parsing and meaning of fills belong elsewhere.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from hashlib import sha1
from typing import Any, TypeVar
from uuid import uuid4

import pyarrow as pa

import sql
from adapters.clickhouse.batch_audit import AuditEntry, BatchAudit
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_rows import (
    SESSION_UNKNOWN,
    fill_of,
    revision_of,
    with_constant,
)
from adapters.clickhouse.fill_staging import (
    UNFIT_ERRORS,
    ToldFees,
    ToldFills,
    told_fees,
    told_fills,
    without_unfit,
)
from trading.errors import DeskError, WarehouseError
from trading.model.fills import Fill, FillBatch, FillRevision, RejectedRow, Venue
from trading.ports.fill_store import BatchReport, FillStore

logger = logging.getLogger(__name__)

KEYS_FIRST_FROM = 5_000  # rows: below, two more requests cost more than columns that are sent in vain
SAMPLE_ROWS = 100  # of a large batch, to guess whether it is a repeat
MOVE_ATTEMPTS = 2  # another writer may store rows between judgement and move; none takes them away


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the server found of a batch: counts of its rows, and the (account, session) pairs that change."""

    new: int = 0
    duplicates: int = 0
    corrected: int = 0
    touched: frozenset[tuple[str, date]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFees:
    """The fees of a batch that were new, and the (account, session) pairs that they change."""

    new: int = 0
    touched: frozenset[tuple[str, date]] = frozenset()


Found = TypeVar("Found")


class ClickHouseFillStore(FillStore):
    """The port on a real or embedded server. `now` is asked for the audit only, never for a fill's time.

    Who stores a small batch every moment sweeps staging once for `unstage_after` of them: two requests fewer
    that the next fills wait for.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        unstage_after: int = 1,
    ) -> None:
        self._warehouse = warehouse
        self._unstage_after = unstage_after
        self._staged: dict[str, list[str]] = defaultdict(list)  # attempts that are done with, by table
        self._audit = BatchAudit(warehouse, now)

    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        """Store what is new of a batch and say what it did; safe to repeat and to run twice at once."""
        (report,) = self.record_all([batch], received_at)
        return report

    def record_all(self, batches: Sequence[FillBatch], received_at: datetime) -> Sequence[BatchReport]:
        """Store several batches as one attempt: as many requests as for one."""
        if not batches:
            return []
        try:
            return self._record_all(batches, [()] * len(batches), received_at)
        except UNFIT_ERRORS:
            parted = [without_unfit(batch) for batch in batches]
            kept = [
                replace(batch, fills=tuple(good)) for batch, (good, _) in zip(batches, parted, strict=True)
            ]
            return self._record_all(kept, [refused for _, refused in parted], received_at)

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

    def _record_all(
        self, batches: Sequence[FillBatch], unfit: Sequence[Sequence[RejectedRow]], received_at: datetime
    ) -> list[BatchReport]:
        told = told_fills(batches)
        attempt_id = uuid4().hex
        outcomes = _of_each(told.batch_ids, self._store_fills(told, attempt_id, received_at), Outcome())
        stored = self._store_fees(told_fees(batches, told.batch_ids), attempt_id, received_at)
        fees = _of_each(told.batch_ids, stored, StoredFees())
        self._store_coverage(batches, told.batch_ids)
        reports = [
            _report(batches[place], told, place, outcomes[place], fees[place], len(unfit[place]))
            for place in range(len(batches))
        ]
        entries = [
            AuditEntry(
                batch=batch,
                report=report,
                rejected=(*batch.rejected, *refused),
                attempt_id=f"{attempt_id}-{place}",
                new_fees=fees[place].new,
            )
            for place, (batch, report, refused) in enumerate(zip(batches, reports, unfit, strict=True))
        ]
        self._audit.record(entries, received_at)
        return reports

    def _store_fills(self, told: ToldFills, attempt_id: str, received_at: datetime) -> dict[str, Outcome]:
        """Judge and move. Of a large batch that looks known only the keys are sent, and whole what is new."""
        if not told.revisions:
            return {}
        by_keys = len(told.revisions) >= KEYS_FIRST_FROM and self._looks_known(told)
        judged_id = f"{attempt_id}-keys" if by_keys else attempt_id
        tables = told.key_tables() if by_keys else told.full_tables(received_at)
        self._stage("core.fill_staging", tables, judged_id)
        judged = self._warehouse.rows(sql.query("fills_classify"), {"attempt_id": judged_id})
        missing = sum(row["missing"] for row in judged)
        cancelled: dict[str, set[tuple[str, date]]] = {}
        if missing:
            if by_keys:
                hashes = {name for row in judged for name in row["missing_hashes"]}
                self._stage("core.fill_staging", told.only(hashes).full_tables(received_at), attempt_id)
            cancelled = self._cancelled_sessions(told.revisions, attempt_id)
            self._move("fills", missing, attempt_id)
        for staged_id in {judged_id, attempt_id} if missing else {judged_id}:
            self._unstage("core.fill_staging", staged_id)
        return {row["batch_id"]: _outcome(row, cancelled.get(row["batch_id"], set())) for row in judged}

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

    def _store_fees(self, told: ToldFees, attempt_id: str, received_at: datetime) -> dict[str, StoredFees]:
        if not told.facts:
            return {}
        self._stage("core.commission_staging", told.tables(received_at), attempt_id)
        judged = self._warehouse.rows(sql.query("commissions_missing"), {"attempt_id": attempt_id})
        if judged:
            self._move("commissions", sum(row["missing"] for row in judged), attempt_id)
        self._unstage("core.commission_staging", attempt_id)
        return {
            row["batch_id"]: StoredFees(
                new=row["missing"],
                touched=frozenset(pair for pair in row["touched"] if pair[1] != SESSION_UNKNOWN),
            )
            for row in judged
        }

    def _cancelled_sessions(
        self, revisions: Sequence[FillRevision], attempt_id: str
    ) -> dict[str, set[tuple[str, date]]]:
        """The (account, session) pairs that each batch changes by what it cancels or tells again."""
        tied = (row.cancels_trade_id or (row.trade_id and not row.exec_id) for row in revisions)
        if not any(tied):
            return {}
        found: dict[str, set[tuple[str, date]]] = defaultdict(set)
        asked = {"attempt_id": attempt_id}
        for row in self._warehouse.rows(sql.query("fills_cancelled_sessions"), asked):
            found[row["batch_id"]].add((row["account"], row["session"]))
        return found

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
            rows = self._warehouse.rows(sql.query(f"{what}_missing"), asked)
            missing = sum(row["missing"] for row in rows)
            if not missing:
                return
        raise WarehouseError(f"{what}_move: expected every staged row to be stored, {missing} are not")

    def _unstage(self, target: str, attempt_id: str) -> None:
        """Drop what was staged; a drop that fails or never comes costs a day of disk, never the batch."""
        self._staged[target].append(attempt_id)
        if len(self._staged[target]) < self._unstage_after:
            return
        attempts = {f"attempt_{place}": name for place, name in enumerate(self._staged.pop(target))}
        drops = ", ".join(f"drop partition {{{name}:String}}" for name in attempts)
        try:
            self._warehouse.command(f"alter table {target} {drops}", attempts)
        except DeskError as error:
            logger.warning("unstage_failed table=%s attempts=%s error=%s", target, len(attempts), error)

    def _store_coverage(self, batches: Sequence[FillBatch], batch_ids: Sequence[str]) -> None:
        rows = [
            (str(told.venue), told.account, str(told.source), told.start, told.end, batch_id)
            for batch, batch_id in zip(batches, batch_ids, strict=True)
            for told in batch.coverage
        ]
        columns = ("venue", "account", "source", "start_at", "end_at", "batch_id")
        # Of what it says, not of the fills beside it: two silent intervals have the same fills, none.
        token = sha1(repr(rows).encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
        self._warehouse.insert("core.coverage", columns, rows, token=f"coverage-{token}")


def _of_each(batch_ids: Sequence[str], found: Mapping[str, Found], nothing: Found) -> list[Found]:
    """What the server found for each batch; for one that says what an earlier one said, nothing."""
    first = {batch_id: place for place, batch_id in reversed(list(enumerate(batch_ids)))}
    return [
        found.get(batch_id, nothing) if first[batch_id] == place else nothing
        for place, batch_id in enumerate(batch_ids)
    ]


def _outcome(row: Mapping[str, Any], cancelled: Collection[tuple[str, date]]) -> Outcome:
    touched = {(account, session) for account, session in row["touched"]}
    return Outcome(
        new=row["new"],
        duplicates=row["duplicates"],
        corrected=row["corrected"],
        touched=frozenset(touched.union(cancelled)),
    )


def _report(
    batch: FillBatch, told: ToldFills, place: int, fills: Outcome, fees: StoredFees, unfit: int
) -> BatchReport:
    return BatchReport(
        batch_id=told.batch_ids[place],
        origin=batch.origin,
        total=batch.total_rows + unfit,
        new=fills.new,
        duplicates=fills.duplicates + told.repeated[place],
        corrected=fills.corrected,
        rejected=sum(row.is_trade_row for row in batch.rejected) + unfit,
        first_fill_at=min((revision.fill_ts for revision in batch.fills), default=None),
        last_fill_at=max((revision.fill_ts for revision in batch.fills), default=None),
        touched=tuple(sorted(fills.touched | fees.touched)),
    )
