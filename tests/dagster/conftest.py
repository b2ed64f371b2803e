"""A migrated warehouse, a Redis and a desk's home of each test module's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_desk import Desk
from embedded_warehouse import start_migrated_warehouse
from real_redis import redis_binary, start_redis

from adapters.clickhouse.client import Warehouse


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of its own: real warehouse, real Redis, empty inbox."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    home = tmp_path_factory.mktemp("desk")
    server = start_migrated_warehouse(home / "warehouse")
    redis = start_redis(Path(os.path.realpath(tmp_path_factory.mktemp("r"))))
    environment = {"CLICKHOUSE_URL": server.url, "REDIS_URL": redis.url, "DESK_HOME": str(home)}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    warehouse = Warehouse(server.url)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Desk(home=home, warehouse=warehouse, instance=instance)
    warehouse.close()
    server.stop()
    redis.kill()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})
