"""A migrated embedded warehouse for tests of SQL, shared by a module and emptied for each test."""

from collections.abc import Iterator

import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import migrate


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
