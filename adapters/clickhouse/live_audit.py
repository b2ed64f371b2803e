"""What was told live against what the statement told, by two questions to the warehouse."""

from collections.abc import Mapping, Sequence
from datetime import date

import sql
from adapters.clickhouse.client import Warehouse
from trading.ports.live_audit import ListenedSession, LiveAudit, LiveFault
from trading.ports.model_runner import SessionRange

FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(2149, 1, 1)  # bounds of the column's type


class ClickHouseLiveAudit(LiveAudit):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def faults(self, sessions: SessionRange | None, most: int) -> Sequence[LiveFault]:
        """Return what both tell differently."""
        rows = self._warehouse.rows(sql.query("live_faults"), _asked(sessions, most))
        return [LiveFault(**{**row, "in_hole": bool(row["in_hole"])}) for row in rows]

    def listened(self, sessions: SessionRange | None, most: int) -> Sequence[ListenedSession]:
        """Return the account sessions that were listened to."""
        rows = self._warehouse.rows(sql.query("live_listened"), _asked(sessions, most))
        return [ListenedSession(**{**row, "has_statement": bool(row["has_statement"])}) for row in rows]


def _asked(sessions: SessionRange | None, most: int) -> Mapping[str, object]:
    first, last = (sessions.first, sessions.last) if sessions else (FIRST_DAY, LAST_DAY)
    return {"first": first, "last": last, "most": most}
