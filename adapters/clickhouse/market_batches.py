"""Batches of market data in audit.ingestion_batches, beside those of fills: their `source` is `market`.

Many notes are one insert: a part of a table for each second of a market day would cost the warehouse more
than the rows that it tells of.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha1

from adapters.clickhouse.batch_audit import BATCH_COLUMNS, stored_text
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_refusals import SOURCE
from trading.errors import InvalidFieldError
from trading.ports.batch_log import BATCHES_PER_CALL_MAX, BatchLog, BatchNote

COLUMNS = (*BATCH_COLUMNS, "duration_ms")


class ClickHouseBatchLog(BatchLog):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, notes: Sequence[BatchNote]) -> None:
        """Insert in one statement, under a token of what is inserted."""
        if len(notes) > BATCHES_PER_CALL_MAX:
            raise InvalidFieldError("notes", f"at most {BATCHES_PER_CALL_MAX}", len(notes))
        token = _digest("".join(map(_attempt_of, notes)))
        cells = [_cells(note) for note in notes]
        self._warehouse.insert("audit.ingestion_batches", COLUMNS, cells, f"market-batches-{token}")


def _cells(note: BatchNote) -> tuple[object, ...]:
    age_s = None if note.newest_at is None else (note.ended_at - note.newest_at).total_seconds()
    return (
        note.ended_at,
        stored_text(",".join(note.sources)),
        SOURCE,
        stored_text(note.origin),
        note.batch_id,
        _attempt_of(note),
        note.rows,
        note.new,
        note.repeated,
        0,
        note.refused,
        0,
        note.oldest_at,
        note.newest_at,
        None if age_s is None else Decimal(f"{age_s:.3f}"),
        [],
        note.began_at,
        note.duration_ms,
    )


def _attempt_of(note: BatchNote) -> str:
    return _digest(f"{note.batch_id} {note.began_at.isoformat()} {note.ended_at.isoformat()} {note.origin}")


def _digest(text: str) -> str:
    return sha1(text.encode("utf-8", "backslashreplace"), usedforsecurity=False).hexdigest()
