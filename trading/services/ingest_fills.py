"""Ingest what files and answers say: fills and fees first, then the statements that they came with.

The order matters: a statement that is there says that its fills are there too, and it is what starts
reconciliation. Small files are stored some at a time, since a file costs as many requests as fifty; where the
warehouse refuses such a group, its files are stored one by one, so that one of them holds up no other. One
writer per venue and account works at a time, by a lease; that only saves work, since the stores are right
without it: a lease that is lost, or a live state that is down, delays nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from trading.errors import LiveStateUnavailableError, WarehouseError
from trading.model.fills import FillBatch, Venue
from trading.model.statements import BrokerStatement
from trading.ports.clock import Clock
from trading.ports.fill_store import BatchReport, FillStore
from trading.ports.live_state import Lease, LiveState
from trading.ports.statement_store import StatementStore

LEASE_COMPONENT = "ingest"
LEASE_TTL_S = 60
LEASE_TRIES_MAX = 50  # then we go on without: the stores serialize by content
TOGETHER_FILES_MAX = 50  # in one group: what a kill lets a run repeat
TOGETHER_ROWS_MAX = 4_000  # then the group is full; a file of so many would gain nothing from company

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file or answer as it was read; the statements' own batches need not be repeated."""

    name: str
    batches: tuple[FillBatch, ...] = ()
    statements: tuple[BrokerStatement, ...] = ()

    @property
    def all_batches(self) -> tuple[FillBatch, ...]:
        """Every batch once."""
        inner = (statement.batch for statement in self.statements)
        return (
            *self.batches,
            *(batch for batch in inner if not any(batch is known for known in self.batches)),
        )

    @property
    def rows(self) -> int:
        """Its fills, fees and refused rows."""
        return sum(
            len(batch.fills) + len(batch.commissions) + len(batch.rejected) for batch in self.all_batches
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What one file did: total = new + duplicates + corrected + rejected, over every trade row.

    rejected_other: refused rows that are no trades (positions, cash, fees); they count in no total.
    """

    file: str
    batches: tuple[BatchReport, ...]
    rejected_other: int
    statements_new: int
    statements_known: int
    warnings: tuple[str, ...]

    def count(self, name: str) -> int:
        """Sum one count (`total`, `new`, `duplicates`, `corrected`, `rejected`) over the batches."""
        return sum(getattr(batch, name) for batch in self.batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What all files did, summed; `now` is when, for the age of the last fill."""

    files: tuple[FileReport, ...]
    now: datetime

    def count(self, name: str) -> int:
        """Sum one count over the files."""
        return sum(file.count(name) for file in self.files)

    @property
    def refused_rows(self) -> int:
        """Every row in the dead letter, trades and others: none of them may pass unseen."""
        return self.count("rejected") + sum(file.rejected_other for file in self.files)

    @property
    def first_fill_at(self) -> datetime | None:
        """Time of the oldest fill that was told."""
        return min((at for at in self._times("first_fill_at")), default=None)

    @property
    def last_fill_at(self) -> datetime | None:
        """Time of the newest fill that was told."""
        return max((at for at in self._times("last_fill_at")), default=None)

    @property
    def touched(self) -> tuple[tuple[str, date], ...]:
        """Every (account, session) whose fills or fees changed."""
        return tuple(
            sorted({pair for file in self.files for batch in file.batches for pair in batch.touched})
        )

    def as_document(self) -> dict[str, Any]:
        """Return the report as plain values, as `fills ingest --json` prints it."""
        return {
            **_counts(self),
            **_span(self.first_fill_at, self.last_fill_at, self.now),
            "files": [_file_document(file, self.now) for file in self.files],
        }

    def _times(self, name: str) -> list[datetime]:
        told = (getattr(batch, name) for file in self.files for batch in file.batches)
        return [at for at in told if at is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestStores:
    """What ingestion needs from outside; `owner` names this process, `pause` waits a moment for a lease."""

    fills: FillStore
    statements: StatementStore
    live_state: LiveState | None
    clock: Clock
    owner: str
    pause: Callable[[], None]


def ingest_fills(files: Iterable[SourceFile], stores: IngestStores) -> IngestReport:
    """Store every file and say what it did; after WarehouseUnavailableError the files may come again."""
    reports: list[FileReport] = []
    for group in in_groups(files, lambda file: file.rows):
        try:
            reports += ingest_together(group, stores)
        except WarehouseError:
            if len(group) == 1:
                raise
            for file in group:
                reports += ingest_together([file], stores)
    return IngestReport(files=tuple(reports), now=stores.clock.now())


def in_groups(items: Iterable[Item], rows_of: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Yield the items in order, as many at a time as are stored together; the next is read after that."""
    group: list[Item] = []
    rows = 0
    for item in items:
        group.append(item)
        rows += rows_of(item)
        if len(group) == TOGETHER_FILES_MAX or rows >= TOGETHER_ROWS_MAX:
            yield group
            group, rows = [], 0
    if group:
        yield group


def ingest_together(files: Sequence[SourceFile], stores: IngestStores) -> Sequence[FileReport]:
    """Store some files as one attempt; after any error each of them may be given again."""
    received_at = stores.clock.now()
    batches = [file.all_batches for file in files]
    statements = [statement for file in files for statement in file.statements]
    with _leases(_shards(files), stores):
        told = iter(stores.fills.record_all([batch for each in batches for batch in each], received_at))
        are_new = iter(stores.statements.record_all(statements, received_at) if statements else ())
    return [
        _file_report(file, own, tuple(islice(told, len(own))), sum(islice(are_new, len(file.statements))))
        for file, own in zip(files, batches, strict=True)
    ]


def _file_report(
    file: SourceFile, batches: Sequence[FillBatch], reports: tuple[BatchReport, ...], new: int
) -> FileReport:
    return FileReport(
        file=file.name,
        batches=reports,
        rejected_other=sum(not row.is_trade_row for batch in batches for row in batch.rejected),
        statements_new=new,
        statements_known=len(file.statements) - new,
        warnings=tuple(dict.fromkeys(text for batch in batches for text in batch.warnings)),
    )


def _shards(files: Sequence[SourceFile]) -> Sequence[str]:
    """One shard per venue and account, in one order everywhere, so that nobody waits in a circle."""
    pairs: set[tuple[Venue, str]] = set()
    for file in files:
        pairs.update((statement.venue, statement.account) for statement in file.statements)
        for batch in file.all_batches:
            pairs.update((batch.venue, fill.account) for fill in batch.fills)
            pairs.update((batch.venue, fee.account) for fee in batch.commissions)
    return sorted(f"{venue}:{account}" for venue, account in pairs)


@contextmanager
def _leases(shards: Sequence[str], stores: IngestStores) -> Any:
    held: list[Lease] = []
    try:
        for shard in shards:
            lease = _lease(shard, stores)
            held += [lease] if lease else []
        yield
    finally:
        for lease in reversed(held):
            _release(lease, stores)


def _lease(shard: str, stores: IngestStores) -> Lease | None:
    if stores.live_state is None:
        return None
    try:
        for _ in range(LEASE_TRIES_MAX):
            lease = stores.live_state.acquire_lease(LEASE_COMPONENT, shard, stores.owner, LEASE_TTL_S)
            if lease is not None:
                return lease
            stores.pause()
    except LiveStateUnavailableError:
        return None
    return None


def _release(lease: Lease, stores: IngestStores) -> None:
    try:
        if stores.live_state is not None:
            stores.live_state.release_lease(lease)
    except LiveStateUnavailableError:
        return  # it expires by itself


def _counts(report: IngestReport | FileReport) -> dict[str, int]:
    return {name: report.count(name) for name in ("total", "new", "duplicates", "corrected", "rejected")}


def _span(first: datetime | None, last: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "first_fill_at": first.isoformat() if first else None,
        "last_fill_at": last.isoformat() if last else None,
        "age_seconds": round((now - last).total_seconds(), 3) if last else None,
    }


def _file_document(file: FileReport, now: datetime) -> dict[str, Any]:
    first = min((batch.first_fill_at for batch in file.batches if batch.first_fill_at), default=None)
    last = max((batch.last_fill_at for batch in file.batches if batch.last_fill_at), default=None)
    return {
        "file": file.file,
        **_counts(file),
        **_span(first, last, now),
        "rejected_other": file.rejected_other,
        "statements": {"new": file.statements_new, "known": file.statements_known},
        "warnings": list(file.warnings),
    }
