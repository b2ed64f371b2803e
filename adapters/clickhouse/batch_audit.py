"""The audit of ingestion: what each batch did, and the dead letter for what could not be read."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha1

from adapters.clickhouse.client import Warehouse
from trading.model.fills import FillBatch, RejectedRow
from trading.ports.fill_store import BatchReport

logger = logging.getLogger(__name__)

PAYLOAD_CHARS_MAX = 1_000_000  # of a refused row; longer ones are cut, their true length is kept beside
REJECTED_ROWS_PER_INSERT = 1_000
WARNINGS_MAX = 100  # kept per batch

BATCH_COLUMNS = (
    "recorded_at",
    "venue",
    "source",
    "origin",
    "batch_id",
    "attempt_id",
    "total_rows",
    "new_rows",
    "duplicates_filtered",
    "corrected",
    "rejected",
    "new_fees",
    "first_fill_at",
    "last_fill_at",
    "age_seconds",
    "warnings",
    "received_at",
)
REJECTED_COLUMNS = (
    "venue",
    "source",
    "row_key",
    "account",
    "origin",
    "field",
    "reason",
    "payload",
    "payload_bytes",
    "is_trade_row",
    "batch_id",
    "received_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One batch of an attempt: what it was, what it did, and every row of it that was refused."""

    batch: FillBatch
    report: BatchReport
    rejected: Sequence[RejectedRow]
    attempt_id: str
    new_fees: int


class BatchAudit:
    """Writes audit.ingestion_batches, audit.rejected_rows and the two log lines that alerts know."""

    def __init__(self, warehouse: Warehouse, now: Callable[[], datetime]) -> None:
        self._warehouse = warehouse
        self._now = now

    def record(self, entries: Sequence[AuditEntry], received_at: datetime) -> None:
        """Keep the refused rows first, then the batches, then log."""
        attempt_id = entries[0].attempt_id
        rejected = [
            _rejected_cells(row, entry.batch.origin, entry.report.batch_id, received_at)
            for entry in entries
            for row in entry.rejected
        ]
        for start in range(0, len(rejected), REJECTED_ROWS_PER_INSERT):
            rows = rejected[start : start + REJECTED_ROWS_PER_INSERT]
            token = f"rejected-{attempt_id}-{start}"
            self._warehouse.insert("audit.rejected_rows", REJECTED_COLUMNS, rows, token)
        now = self._now()
        cells = [_batch_cells(entry, now, received_at) for entry in entries]
        self._warehouse.insert("audit.ingestion_batches", BATCH_COLUMNS, cells, token=f"batch-{attempt_id}")
        for entry in entries:
            _log(entry.report, now)


def stored_text(text: str) -> str:
    """Return text that UTF-8 can hold: lone surrogates become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _batch_cells(entry: AuditEntry, now: datetime, received_at: datetime) -> tuple[object, ...]:
    batch, report = entry.batch, entry.report
    return (
        now,
        str(batch.venue),
        str(batch.source),
        stored_text(report.origin),
        report.batch_id,
        entry.attempt_id,
        report.total,
        report.new,
        report.duplicates,
        report.corrected,
        report.rejected,
        entry.new_fees,
        report.first_fill_at,
        report.last_fill_at,
        _age_s(report, now),
        [stored_text(warning) for warning in batch.warnings[:WARNINGS_MAX]],
        received_at,
    )


def _age_s(report: BatchReport, now: datetime) -> Decimal | None:
    if report.last_fill_at is None:
        return None
    return Decimal(str((now - report.last_fill_at).total_seconds()))


def _rejected_cells(
    row: RejectedRow, origin: str, batch_id: str, received_at: datetime
) -> tuple[object, ...]:
    payload = stored_text(row.payload)
    reason = stored_text(row.reason)
    return (
        str(row.venue),
        str(row.source),
        sha1(f"{reason}\x1f{payload}".encode(), usedforsecurity=False).hexdigest(),
        stored_text(row.account),
        stored_text(origin),
        stored_text(row.field),
        reason,
        payload[:PAYLOAD_CHARS_MAX],
        len(payload.encode()),
        row.is_trade_row,
        batch_id,
        received_at,
    )


def _log(report: BatchReport, now: datetime) -> None:
    logger.info(
        "fills_deduped total_rows=%d new_rows=%d duplicates_filtered=%d corrected=%d rejected=%d",
        report.total,
        report.new,
        report.duplicates,
        report.corrected,
        report.rejected,
    )
    logger.info(
        "fill_pipeline_stats first_fill_ts_iso=%s last_fill_ts_iso=%s now_iso=%s ts_age_sec=%s",
        report.first_fill_at and report.first_fill_at.isoformat(),
        report.last_fill_at and report.last_fill_at.isoformat(),
        now.isoformat(),
        _age_s(report, now),
    )
