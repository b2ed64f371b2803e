"""The P&L and break stores in memory and on a real server, each with the fills that it stands on."""

import pytest
from reconciled_desk import Desk, desk_in_memory

from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.pnl_store import ClickHousePnlStore
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.memory.live_state import MemoryLiveState


@pytest.fixture(params=["memory", "clickhouse"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """A desk on each implementation in turn."""
    if request.param == "memory":
        return desk_in_memory()
    return _desk_on(request.getfixturevalue("warehouse"))


@pytest.fixture
def server_desk(warehouse: Warehouse) -> Desk:
    """A desk on a real server, for what only a warehouse can say."""
    return _desk_on(warehouse)


def _desk_on(client: Warehouse) -> Desk:
    return Desk(
        fills=ClickHouseFillStore(client),
        statements=ClickHouseStatementStore(client),
        pnl=ClickHousePnlStore(client),
        breaks=ClickHouseBreakStore(client),
        live_state=MemoryLiveState(),
    )
