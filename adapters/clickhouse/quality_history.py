"""Results of quality rules in `audit.quality_results`."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha1

from adapters.clickhouse.client import Warehouse
from trading.ports.model_runner import SessionRange
from trading.ports.quality import QualityHistory, QualityResult

TABLE = "audit.quality_results"
COLUMNS = (
    "database", "table", "rule", "examined_at", "passed", "severity", "blocking", "failing_rows", "sample",
    "first_session", "last_session",
)  # fmt: skip


class ClickHouseQualityHistory(QualityHistory):
    """The history in the warehouse; appended to, never changed."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, results: Sequence[QualityResult], sessions: SessionRange | None, at: datetime) -> None:
        """Append results in one insert."""
        rows = [_row(result, sessions, at) for result in results]
        token = sha1(repr(rows).encode(), usedforsecurity=False).hexdigest()
        self._warehouse.insert(TABLE, COLUMNS, rows, token=f"quality:{token}")


def _row(result: QualityResult, sessions: SessionRange | None, at: datetime) -> list[object]:
    rule = result.rule
    return [
        rule.table.database,
        rule.table.table,
        rule.name,
        at,
        result.passed,
        str(rule.severity),
        rule.blocking,
        result.failing_rows,
        list(result.sample),
        sessions.first if sessions else None,
        sessions.last if sessions else None,
    ]
