"""Circuit breakers' changes in the warehouse: audit.breaker_transitions."""

from collections.abc import Sequence

from adapters.clickhouse.client import Warehouse
from trading.ports.breaker_log import BreakerEntry, BreakerLog

TABLE = "audit.breaker_transitions"
COLUMNS = (
    "source",
    "feed",
    "symbol",
    "at",
    "was",
    "becomes",
    "failures",
    "reason",
    "stream",
    "entry_ms",
    "entry_seq",
)


class ClickHouseBreakerLog(BreakerLog):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, entries: Sequence[BreakerEntry]) -> None:
        """Insert in one statement; a change that is told again is the same row by its key."""
        if not entries:
            return
        token = f"breakers:{entries[0].entry_id}:{entries[-1].entry_id}:{len(entries)}"
        self._warehouse.insert(TABLE, COLUMNS, [_cells(entry) for entry in entries], token)


def _cells(entry: BreakerEntry) -> tuple[object, ...]:
    change = entry.transition
    entry_ms, _, entry_seq = entry.entry_id.partition("-")
    return (
        change.source,
        change.feed,
        change.symbol,
        change.at,
        str(change.was),
        str(change.becomes),
        change.failures,
        change.reason,
        entry.stream,
        int(entry_ms),
        int(entry_seq),
    )
