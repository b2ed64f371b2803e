"""Market rows that were refused, as rows of the dead letter: by a normalizer, by a column, or unreadable.

The key of a letter is what it says and where it came from, so that a repeat is the same letter.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

import orjson

from adapters.clickhouse.batch_audit import (
    PAYLOAD_CHARS_MAX,
    REJECTED_COLUMNS,
    REJECTED_ROWS_PER_INSERT,
    stored_text,
)
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_columns import ChainRow
from adapters.clickhouse.market_rows import Misfit
from trading.model.market import RefusedRow
from trading.ports.outbox import UnreadableEntry

SOURCE = "market"  # column `source` of the dead letter; `venue` says who told the row

Letter = tuple[str, str, str, str, str, datetime]  # teller, origin, field, reason, payload, received_at


def letter_of_refused(row: RefusedRow, teller: str, origin: str, received_at: datetime) -> Letter:
    """What a normalizer or a reader of files refused."""
    reason = f"{row.feed} {row.symbol} {row.at.isoformat()}: {row.reason}"
    return teller, origin, row.field, reason, row.payload, received_at


def letter_of_misfit(misfit: Misfit, origin: str) -> Letter:
    """What no column holds."""
    field = misfit.reason.partition(": ")[2].partition(":")[0]
    told = misfit.origin
    return told.source, origin, field, misfit.reason, payload_of(misfit.row), told.heard_at


def letter_of_unreadable(entry: UnreadableEntry) -> Letter:
    """An entry of the outbox that is no block."""
    milliseconds = entry.entry_id.partition("-")[0]
    at = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    return "outbox", f"{entry.stream} {entry.entry_id}", "entry", entry.reason, entry.text, at


def payload_of(row: Any) -> str:
    """The row as JSON, or in Python's words where JSON cannot say it; of a chain the one contract."""
    if isinstance(row, ChainRow):
        told = row.snapshot
        row = {"symbol": told.symbol, "at": told.at, "source": told.source, "contract": row.contract}
    try:
        return orjson.dumps(row, default=str).decode()
    except (TypeError, ValueError):
        return repr(row)


def store_letters(warehouse: Warehouse, letters: Iterable[Letter], told: Counter[bytes] | None = None) -> int:
    """Store letters and return how many; equal ones are told apart by their number.

    `told` counts those that were stored before of the same origins, when they come in several parts.
    """
    counted = Counter() if told is None else told
    cells = []
    for letter in letters:
        name = sha1("\x1f".join(map(stored_text, letter[1:5])).encode(), usedforsecurity=False).digest()
        cells.append(_cells(letter, counted[name]))
        counted[name] += 1
    for start in range(0, len(cells), REJECTED_ROWS_PER_INSERT):
        part = cells[start : start + REJECTED_ROWS_PER_INSERT]
        warehouse.insert("audit.rejected_rows", REJECTED_COLUMNS, part, f"rejected-{_digest(part)}")
    return len(cells)


def _cells(letter: Letter, number: int) -> list[object]:
    teller, origin, field, reason, payload, received_at = letter
    origin, reason, payload = stored_text(origin), stored_text(reason), stored_text(payload)
    named = "\x1f".join((origin, reason, payload, str(number)))
    return [
        stored_text(teller),
        SOURCE,
        sha1(named.encode(), usedforsecurity=False).hexdigest(),
        "",
        origin,
        stored_text(field),
        reason,
        payload[:PAYLOAD_CHARS_MAX],
        len(payload.encode()),
        False,
        "",
        received_at,
    ]


def _digest(cells: Sequence[Sequence[object]]) -> str:
    keys = "".join(str(row[2]) for row in cells)
    return sha1(keys.encode(), usedforsecurity=False).hexdigest()
