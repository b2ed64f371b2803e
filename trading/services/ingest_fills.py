"""Ingest what files and answers say: fills and fees first, then the statement that they came with.

The order matters: a statement that is there says that its fills are there too, and it is what starts
reconciliation. One writer per venue and account works at a time, by a lease; that only saves work, since
the stores are right without it: a lease that is lost, or a live state that is down, delays nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from trading.errors import LiveStateUnavailableError
from trading.model.fills import FillBatch, Venue
from trading.model.statements import BrokerStatement
from trading.ports.clock import Clock
from trading.ports.fill_store import BatchReport, FillStore
from trading.ports.live_state import Lease, LiveState
from trading.ports.statement_store import StatementStore

LEASE_COMPONENT = "ingest"
LEASE_TTL_S = 60
LEASE_TRIES_MAX = 50  # then we go on without: the stores serialize by content


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
    reports = tuple(_ingest_file(file, stores) for file in files)
    return IngestReport(files=reports, now=stores.clock.now())


def _ingest_file(file: SourceFile, stores: IngestStores) -> FileReport:
    received_at = stores.clock.now()
    with _leases(_shards(file), stores):
        batches = tuple(stores.fills.record(batch, received_at) for batch in file.all_batches)
        new = sum(stores.statements.record(statement, received_at) for statement in file.statements)
    warnings = tuple(dict.fromkeys(text for batch in file.all_batches for text in batch.warnings))
    return FileReport(
        file=file.name,
        batches=batches,
        rejected_other=sum(not row.is_trade_row for batch in file.all_batches for row in batch.rejected),
        statements_new=new,
        statements_known=len(file.statements) - new,
        warnings=warnings,
    )


def _shards(file: SourceFile) -> Sequence[str]:
    """One shard per venue and account, in one order everywhere, so that nobody waits in a circle."""
    pairs: set[tuple[Venue, str]] = {(statement.venue, statement.account) for statement in file.statements}
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
