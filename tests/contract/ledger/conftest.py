"""The P&L and break stores in memory and on a real server, each with the fills that it stands on."""

from collections.abc import Iterator

import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse
from reconciled_desk import Desk, desk_in_memory

from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.migrator import migrate
from adapters.clickhouse.pnl_store import ClickHousePnlStore
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.memory.live_state import MemoryLiveState


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWarehouse]:
    """One embedded server for the tests of a module."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    running = start_warehouse(tmp_path_factory.mktemp("warehouse"))
    migrate(Warehouse(running.url))
    yield running
    running.stop()


@pytest.fixture
def warehouse(server: RunningWarehouse) -> Iterator[Warehouse]:
    """An empty, migrated warehouse."""
    client = Warehouse(server.url)
    tables = client.rows(
        "select database, name from system.tables where database in ('core', 'audit', 'raw') "
        "and engine like '%MergeTree' and name != 'schema_migrations' and total_rows > 0"
    )
    for table in tables:
        client.command(f"truncate table {table['database']}.{table['name']}")
    yield client
    client.close()


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
