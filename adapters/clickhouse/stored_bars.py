"""One-minute bars of shares and indexes out of the warehouse, one for each minute whoever told it."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import sql
from adapters.clickhouse.client import Warehouse
from trading.model.market import Bar
from trading.ports.stored_bars import StoredBars

MINUTE_S = 60


class ClickHouseStoredBars(StoredBars):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def sessions(self) -> Sequence[date]:
        """Sessions with such bars."""
        return [row["session"] for row in self._warehouse.rows(sql.query("market_minute_sessions"))]

    def symbols(self, session: date) -> Sequence[str]:
        """Symbols with such bars."""
        asked = {"session": session}
        return [row["symbol"] for row in self._warehouse.rows(sql.query("market_minute_symbols"), asked)]

    def newest(self, symbol: str, since: date, session: date, bars_max: int) -> Sequence[Bar]:
        """The last minutes, oldest first."""
        asked = {"symbol": symbol, "since": since, "session": session, "bars_max": bars_max}
        rows = self._warehouse.rows(sql.query("market_minutes"), asked)
        return [_bar(symbol, row["at"], row["told"]) for row in reversed(rows)]


def _bar(symbol: str, at: datetime, told: tuple[str, Decimal, Decimal, Decimal, Decimal]) -> Bar:
    instrument_id, opened, high, low, close = told
    return Bar(
        symbol=symbol,
        instrument_id=instrument_id,
        at=at,
        seconds=MINUTE_S,
        open=opened,
        high=high,
        low=low,
        close=close,
    )
