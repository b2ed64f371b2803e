"""The warehouse and its stores under one name, for who puts them together.

Loading this loads the driver, Arrow and numpy, 0.3 s: it is loaded where a store is made, because half of the
commands and of the residents ask Redis only. Keep out: anything but names.
"""

from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Priority, Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.live_audit import ClickHouseLiveAudit
from adapters.clickhouse.pnl_store import ClickHousePnlStore
from adapters.clickhouse.position_record import ClickHousePositionRecord
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from adapters.clickhouse.statement_store import ClickHouseStatementStore

__all__ = [
    "ClickHouseBreakStore",
    "ClickHouseBrokerEventStore",
    "ClickHouseFillStore",
    "ClickHouseLiveAudit",
    "ClickHousePnlStore",
    "ClickHousePositionRecord",
    "ClickHouseQualityHistory",
    "ClickHouseStatementStore",
    "Priority",
    "Warehouse",
]
