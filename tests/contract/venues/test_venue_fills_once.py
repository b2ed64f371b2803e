"""What the venues' adapters read is stored once, in memory and on a real server, in any order."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from embedded_warehouse import start_migrated_warehouse

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.kalshi.normalize import normalize as kalshi
from adapters.kraken.normalize import normalize as kraken
from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import Fill, FillBatch, Source, Venue
from trading.ports.fill_store import FillStore

START = datetime(2026, 11, 20, 15, tzinfo=UTC)
FRIDAY = date(2026, 11, 20)
RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One embedded server for the tests of this module."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    running = start_migrated_warehouse(tmp_path_factory.mktemp("warehouse"))
    client = Warehouse(running.url)
    yield client
    running.stop()


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> FillStore:
    """Each implementation in turn."""
    if request.param == "memory":
        return MemoryFillStore()
    return ClickHouseFillStore(request.getfixturevalue("warehouse"))


def rest(number: int) -> dict[str, Any]:
    return {
        "fill_id": f"k-{number}",
        "symbol": "PI_XBTUSD",
        "side": "buy",
        "order_id": "o",
        "fillTime": (START + timedelta(seconds=number)).isoformat().replace("+00:00", ".250Z"),
        "size": 5000,
        "price": 90000.5,
        "fillType": "maker",
        "fee_paid": -0.00001111,
        "fee_currency": "BTC",
    }


def socket(number: int) -> dict[str, Any]:
    moment = START + timedelta(seconds=number, milliseconds=250)
    return {
        "instrument": "PI_XBTUSD",
        "time": int(moment.timestamp() * 1000),
        "price": 90000.5,
        "seq": number,
        "buy": True,
        "qty": 5000,
        "order_id": "o",
        "fill_id": f"k-{number}",
        "fill_type": "maker",
        "fee_paid": -0.00001111,
        "fee_currency": "BTC",
    }


def facts(fills: Any) -> list[tuple[Any, ...]]:
    def told(fill: Fill) -> tuple[Any, ...]:
        row = fill.revision
        return (row.fill_id, row.instrument, row.signed_quantity, row.price, row.fill_ts, dict(fill.fees))

    return sorted(map(told, fills), key=str)


def batches(account: str) -> list[FillBatch]:
    live = json.dumps({"feed": "fills", "fills": [socket(n) for n in range(6)]})
    pages = json.dumps({"result": "success", "fills": [rest(n) for n in range(3, 10)]})
    everything = json.dumps([rest(n) for n in range(10)])
    return [
        kraken(live, account=account, source=Source.LIVE, origin="socket"),
        kraken(pages, account=account, source=Source.BACKFILL, origin="page"),
        kraken(everything, account=account, source=Source.BACKFILL, origin="export"),
    ]


def test_socket_pages_and_export_in_any_order_are_the_same_ten_fills(store: FillStore) -> None:
    """Every order of arrival, each batch twice, ends in the same fills with the same fees."""
    ends = []
    for number, order in enumerate(itertools.permutations(range(3))):
        account = f"any-order-{number}"
        for place in (*order, *order):
            store.record(batches(account)[place], RECEIVED)
        ends.append(facts(store.fills(Venue.KRAKEN, account, [FRIDAY])))
    assert len(ends[0]) == 10
    assert all(end == ends[0] for end in ends)
    assert ends[0][0][-1] == {"BTC": Decimal("-0.00001111")}


def test_a_repeated_file_has_nothing_new(store: FillStore) -> None:
    """The second reading of an export counts every row as a duplicate."""
    batch = batches("repeated")[2]
    assert (store.record(batch, RECEIVED).new, store.record(batch, RECEIVED).new) == (10, 0)


def test_quotes_letters_and_subaccounts_come_back_as_they_went(store: FillStore) -> None:
    """A market's name is data: quotes, backslashes and other scripts are stored and read back unchanged."""
    names = ["KX'); DROP TABLE CORE.FILLS; --", 'KX"Q"', "KX\\N", "KXÉ-Ü-日本", "KX%S{A:STRING}"]
    rows = [
        {
            "fill_id": f"weird-'{number}",
            "order_id": 'o"',
            "ticker": name,
            "action": "buy",
            "side": "no",
            "count_fp": "0.01",
            "no_price_dollars": "0.4444",
            "fee_cost": "0.000001",
            "created_time": (START + timedelta(seconds=number)).isoformat(),
            "subaccount_number": 7,
        }
        for number, name in enumerate(names)
    ]
    batch = kalshi(json.dumps({"fills": rows}), account="weird", source=Source.BACKFILL, origin="o'rigin")
    assert batch.rejected == ()
    store.record(batch, RECEIVED)
    fills = store.fills(Venue.KALSHI, "weird/7", [FRIDAY])
    assert sorted(fill.revision.instrument.symbol for fill in fills) == sorted(names)
    assert {fill.revision.price for fill in fills} == {Decimal("0.5556")}
    assert {fill.revision.signed_quantity for fill in fills} == {Decimal("-0.01")}


def test_absurd_but_readable_numbers_cost_no_other_row(store: FillStore) -> None:
    """A size and a price at the edge of the columns do not keep the other rows out."""
    absurd = rest(1) | {"fill_id": "absurd", "size": 10**25, "price": 10**25}
    batch = kraken(
        json.dumps([rest(0), absurd, rest(2)]), account="absurd", source=Source.BACKFILL, origin="x"
    )
    store.record(batch, RECEIVED)
    stored = {fill.revision.fill_id for fill in store.fills(Venue.KRAKEN, "absurd", [FRIDAY])}
    assert {"k-0", "k-2"} <= stored
