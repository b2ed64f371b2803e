"""One server per test module, and the clients that speak to it."""

from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWarehouse]:
    """A running server of the module's own."""
    running = start_warehouse(tmp_path_factory.mktemp("warehouse"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def writer(warehouse: RunningWarehouse) -> Iterator[Any]:
    """The client the project uses, as the writer; without a session, so that threads may share it."""
    client = clickhouse_connect.get_client(dsn=warehouse.url, autogenerate_session_id=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def reader(warehouse: RunningWarehouse) -> Iterator[Any]:
    """The same client as the reader."""
    client = clickhouse_connect.get_client(dsn=warehouse.reader_url, autogenerate_session_id=False)
    yield client
    client.close()
