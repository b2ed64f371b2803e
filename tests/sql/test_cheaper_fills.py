"""core.fills as 0880 asks for it is core.fills as 0630 wrote it, for whatever was told."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fill_samples import DAY, NOON, RECEIVED, batch, fee, fill
from ingest_journal import journal

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.migrator import statements
from trading.model.fills import CommissionFact, FillBatch, FillKind, FillRevision, Side, Source

ACCOUNTS = ("DU1", "DU2")
TRADES = ("", "T1", "T2", "T3", "T4", "T5")
SEEDS = range(4)  # a question to the view of 0630 is planned for a tenth of a second
BATCHES = 2
CONDITIONS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "account = 'DU1'": lambda row: row["account"] == "DU1",
    f"account = 'DU2' and session = '{DAY}'": lambda row: (row["account"], row["session"]) == ("DU2", DAY),
    "fill_id in ('f1', 'f4', 'c2') and not busted": lambda row: (
        row["fill_id"] in ("f1", "f4", "c2") and not row["busted"]
    ),
    "fee > 0": lambda row: row["fee"] > 0,
}


@pytest.fixture
def before(warehouse: Warehouse) -> Iterator[Warehouse]:
    """A warehouse that has the view of 0630 beside the one that stands."""
    written = next(script.text for script in sql.migrations() if script.name == "0630_bookings_told_twice")
    view = next(text for text in statements(written) if "view core.fills as" in text)
    warehouse.command(view.replace("core.fills as", "core.fills_of_0630 as"))
    yield warehouse
    warehouse.command("drop view core.fills_of_0630")


def rows(warehouse: Warehouse, view: str, condition: str) -> list[dict[str, Any]]:
    """All columns of the fills that a condition is about."""
    return warehouse.rows(f"select * from core.{view} where {condition} order by venue, account, fill_id")


def assert_as_before(warehouse: Warehouse) -> int:
    """Row for row and column for column, whatever is asked; returns how many rows there are."""
    all_before = rows(warehouse, "fills_of_0630", "true")
    assert rows(warehouse, "fills", "true") == all_before
    for condition, is_meant in CONDITIONS.items():
        asked = rows(warehouse, "fills", condition)
        assert asked == [row for row in all_before if is_meant(row)], condition
    return len(all_before)


def test_its_columns_are_what_they_were(before: Warehouse) -> None:
    """Names, types and order."""
    assert before.rows("describe core.fills") == before.rows("describe core.fills_of_0630")


def test_a_journal_reads_as_it_did(before: Warehouse) -> None:
    """Corrections, busts, bookings told twice and their fees, in the order of their telling and reversed."""
    store = ClickHouseFillStore(before)
    for file in journal(5):
        for told in file.all_batches:
            store.record(told, RECEIVED)
    assert assert_as_before(before) > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_told_reads_as_it_did(before: Warehouse, seed: int) -> None:
    """Few fills, trades and numbers drawn against each other: every row may correct, cancel or repeat any."""
    rng = random.Random(seed)
    store = ClickHouseFillStore(before)
    for _ in range(BATCHES):
        store.record(drawn(rng), RECEIVED)
    if seed % 2:  # what lies twice before a merge
        for table in ("core.fill_revisions", "core.commission_facts"):
            before.command(f"insert into {table} select * from {table}", None, {"insert_deduplicate": 0})
    assert assert_as_before(before) >= 5
    busted = before.value("select countIf(busted) from core.fills")
    assert busted or seed not in (0, 1)


def drawn(rng: random.Random) -> FillBatch:
    """Fifteen rows, most of them about the same few fills, and a fee for each id."""
    told = [drawn_row(rng) for _ in range(15)]
    names = {row.fill_id for row in told}
    return batch(told, [drawn_fee(rng, name) for name in sorted(names)])


def drawn_row(rng: random.Random) -> FillRevision:
    """A trade, or a booking or cancel with or without its number; a cancel may have the id of a fill."""
    kind = rng.choice([FillKind.TRADE, FillKind.TRADE, FillKind.BOOKING, FillKind.CANCEL])
    is_cancel, place = kind is FillKind.CANCEL, rng.randrange(7)
    name = f"{rng.choice('cccf') if is_cancel else 'f'}{place}"
    return fill(
        name,
        kind=kind,
        account=rng.choice(ACCOUNTS),
        revision=rng.randrange(3),
        source=rng.choice(list(Source)),
        session=session(rng),
        fill_ts=NOON + timedelta(seconds=rng.randrange(100)),
        side=rng.choice(list(Side)),
        quantity=Decimal(rng.randrange(1, 5)),
        price=Decimal(rng.randrange(100)) / 4,
        exec_id="" if is_cancel or kind is FillKind.BOOKING else f"{name}.01",
        trade_id="" if is_cancel else rng.choice(TRADES),
        cancels_trade_id=f"T{place % 5 + 1}" if is_cancel else "",  # a cancel's id names one trade
        transaction_id=rng.choice(["", str(rng.randrange(10, 20))]),
    )


def session(rng: random.Random) -> date:
    """One of three; a correction may lie in another than its fill."""
    return DAY - timedelta(days=rng.choice([0, 0, 0, 1, 2]))


def drawn_fee(rng: random.Random, name: str) -> CommissionFact:
    """A fee of a few keys, so that sources tell one key differently and may name another fill."""
    return fee(
        f"k{rng.randrange(8)}",
        name,
        str(rng.choice([0, 1, -1, Decimal("0.3333")])),
        account=rng.choice(ACCOUNTS),
        source=rng.choice(list(Source)),
        currency=rng.choice(["USD", "EUR"]),
    )


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ("account = 'DU1'", ("account in ['DU1', 'DU1']",)),
        (f"account = 'DU1' and session = '{DAY}'", ("session in [", "Apply runtime join filter")),
        ("fill_id = 'f1'", ("Name: by_fill_id",)),
    ],
)
def test_what_is_asked_reaches_the_key(warehouse: Warehouse, condition: str, keys: tuple[str, ...]) -> None:
    """Account, session and id of a question are asked of the tables, not of what was worked out of them."""
    ClickHouseFillStore(warehouse).record(batch([fill("f1"), fill("f2")]), RECEIVED)
    plan = warehouse.rows(f"explain indexes = 1 select fill_id, price, fee from core.fills where {condition}")
    text = "\n".join(str(row["explain"]) for row in plan)
    for key in keys:
        assert key in text, text
