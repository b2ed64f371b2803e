"""An execution waits for nobody: not for a slow insert of the market, not for a queue of them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse

from adapters.clickhouse.client import Priority, Warehouse
from trading.errors import DeskError

ENDED_S = 60.0
SLOW = "insert into core.market select sleepEachRow(1) from numbers(30) settings max_block_size = 1"
RUNNING = "select count() from system.processes where query like 'insert into core.market%'"


@pytest.fixture(scope="module")
def one_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWarehouse]:
    """A server that runs one query at a time."""
    running = start_warehouse(tmp_path_factory.mktemp("warehouse"), arguments=("--running-max", "1"))
    yield running
    running.kill()


@pytest.fixture
def executions(one_place: RunningWarehouse) -> Iterator[Warehouse]:
    """Who has the right of way, beside a slow insert of the market and another one that waits for a place."""
    warehouse = Warehouse(one_place.url, priority=Priority.EXECUTIONS)
    warehouse.command("create database if not exists core")
    warehouse.command("create table if not exists core.market (a UInt8) engine = MergeTree order by a")
    warehouse.command("create table if not exists core.fills (a UInt8) engine = MergeTree order by a")
    market = [Warehouse(one_place.url, priority=Priority.MARKET, attempts=1) for _ in range(2)]
    threads = [threading.Thread(target=slowly, args=(client,), daemon=True) for client in market]
    threads[0].start()
    while not warehouse.value(RUNNING):
        assert threads[0].is_alive()
    threads[1].start()
    yield warehouse
    warehouse.command("kill query where query like 'insert into core.market%' sync")
    one_place.kill()
    for thread in threads:
        thread.join(ENDED_S)


def slowly(client: Warehouse) -> None:
    """Insert for half a minute; the end of the test ends it."""
    try:
        client.command(SLOW)
    except DeskError:
        return


def test_an_execution_is_stored_and_read_while_a_slow_insert_of_the_market_is_held_open(
    executions: Warehouse,
) -> None:
    """Its insert and its question end, and the market's insert is still under way."""
    executions.insert("core.fills", ("a",), [(1,)], token="t")
    assert executions.value("select count() from core.fills") == 1
    assert executions.value(RUNNING) == 1


def test_the_right_of_way_is_the_writers(one_place_reader: Warehouse) -> None:
    """A reader who asks for it is refused."""
    with pytest.raises(DeskError):
        one_place_reader.value("select 1 from numbers(1)")


@pytest.fixture
def one_place_reader(tmp_path: Path) -> Iterator[Warehouse]:
    """The reader, who asks to go first."""
    running = start_warehouse(tmp_path / "warehouse")
    yield Warehouse(running.reader_url, priority=Priority.EXECUTIONS)
    running.kill()
