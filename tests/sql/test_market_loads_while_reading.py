"""Readers while loads replace one another see the one of before or that of now, never some of each."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from embedded_warehouse import RunningWarehouse
from market_samples import HEARD, SESSION, bar, quote

from adapters.clickhouse import market_loads
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.errors import WarehouseError
from trading.model.market import MarketKind, MarketRow

LOADS = 8
SMALL, LARGE = 100, 130
READERS = 2
ASKED = "select count() as rows, uniqExact(load_id) as loads, "
QUESTIONS = {
    MarketKind.QUOTE: f"{ASKED} min(bid) = max(bid) as is_one from core.quotes",
    MarketKind.BAR: f"{ASKED} min(close) = max(close) as is_one from core.bars",
}


def told(kind: MarketKind, number: int) -> list[MarketRow]:
    """Rows that all carry the load's number; every second load is larger."""
    count, price = (LARGE if number % 2 else SMALL), f"600.{number + 1}"
    if kind is MarketKind.BAR:
        return [bar(minute, price) for minute in range(count)]
    return [quote(n, price, "700") for n in range(count)]


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
def test_readers_see_one_load_whole(server: RunningWarehouse, warehouse: Warehouse, kind: MarketKind) -> None:
    """Tables that drop partitions and those that delete rows alike."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    store.load(kind, SESSION, "lean", told(kind, 0))
    done = threading.Event()

    def read() -> set[tuple[int, ...]]:
        client, seen = Warehouse(server.url), set()
        while not done.is_set():
            seen.add(tuple(int(figure) for figure in client.rows(QUESTIONS[kind])[0].values()))
        client.close()
        return seen

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for number in range(1, LOADS):
                store.load(kind, SESSION, "lean", told(kind, number))
        finally:
            done.set()
        seen = set().union(*(reader.result() for reader in readers))
    assert seen <= {(SMALL, 1, 1), (LARGE, 1, 1)}
    assert seen


def test_two_loads_of_one_session_at_once_end_as_one_of_them(
    server: RunningWarehouse, warehouse: Warehouse
) -> None:
    """The one that is overtaken is refused or stands; what stands is whole."""
    stores = [ClickHouseMarketStore(Warehouse(server.url)) for _ in range(2)]

    def load(number: int) -> bool:
        try:
            stores[number].load(MarketKind.QUOTE, SESSION, "lean", told(MarketKind.QUOTE, number))
        except WarehouseError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(load, range(2)))
    assert any(ended)
    (row,) = warehouse.rows(QUESTIONS[MarketKind.QUOTE])
    assert (row["loads"], bool(row["is_one"])) == (1, True)
    assert row["rows"] in {SMALL, LARGE}


def test_a_load_that_is_overtaken_says_so_and_moves_nothing(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It began earlier, and another load of the session was done before it came to the pointer."""
    slow, fast = ClickHouseMarketStore(warehouse), ClickHouseMarketStore(warehouse)
    roll_up = market_loads.MarketLoads._roll_up

    def overtaken(loads: market_loads.MarketLoads, running: market_loads.RunningLoad) -> None:
        monkeypatch.setattr(market_loads.MarketLoads, "_roll_up", roll_up)
        roll_up(loads, running)
        fast.load(MarketKind.QUOTE, SESSION, "lean", told(MarketKind.QUOTE, 1))

    monkeypatch.setattr(market_loads.MarketLoads, "_roll_up", overtaken)
    with pytest.raises(WarehouseError, match="overtaken"):
        slow.load(MarketKind.QUOTE, SESSION, "lean", told(MarketKind.QUOTE, 0))
    (row,) = warehouse.rows(QUESTIONS[MarketKind.QUOTE])
    assert tuple(row.values()) == (LARGE, 1, 1)


def test_a_clock_that_was_set_back_takes_no_load_away(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load's id is above that of the one before, whatever the clock says."""
    store = ClickHouseMarketStore(warehouse)
    store.load(MarketKind.QUOTE, SESSION, "lean", told(MarketKind.QUOTE, 0))
    monkeypatch.setattr(market_loads.time, "time_ns", lambda: 1_000_000)
    store.load(MarketKind.QUOTE, SESSION, "lean", told(MarketKind.QUOTE, 1))
    (row,) = warehouse.rows(QUESTIONS[MarketKind.QUOTE])
    assert tuple(row.values()) == (LARGE, 1, 1)


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
def test_a_load_that_says_the_same_again_leaves_nothing_behind(
    warehouse: Warehouse, kind: MarketKind
) -> None:
    """Its rows are taken away again: a backfill that is repeated every hour does not fill the disk."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    for _ in range(3):
        store.load(kind, SESSION, "lean", told(kind, 0))
    assert warehouse.value(f"select uniqExact(load_id) from core.{kind}_rows") == 1
