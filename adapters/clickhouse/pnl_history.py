"""Points for plots, from `core.pnl_daily`."""

from collections.abc import Sequence
from datetime import date

import sql
from adapters.clickhouse.client import Warehouse
from trading.ports.plots import PnlHistory, PnlPoint


class ClickHousePnlHistory(PnlHistory):
    """Sums in the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def points(self, upto: date, sessions_max: int) -> Sequence[PnlPoint]:
        """Return one point for each session and currency."""
        bounds = {"upto": upto, "sessions_max": sessions_max}
        rows = self._warehouse.rows(sql.query("pnl_points"), bounds)
        return [
            PnlPoint(session=row["session"], currency=row["currency"], realized=row["realized"])
            for row in rows
        ]
