"""Batches recorded together are what they would be one after the other: rows, counts, fees, audit."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, corrected_order, fee, fill

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import (
    CoverageInterval,
    FillBatch,
    FillKind,
    FillRevision,
    RejectedRow,
    Source,
    Venue,
)
from trading.ports.fill_store import BatchReport

COUNTS = ("total", "new", "duplicates", "corrected", "rejected")


def counts(report: BatchReport) -> tuple[int, ...]:
    """total, new, duplicates, corrected, rejected."""
    return tuple(getattr(report, name) for name in COUNTS)


def told_at_random(seed: int, batches: int) -> list[FillBatch]:
    """Few fills, told often: repeats, other sources, higher revisions, other figures, cancels, two days."""
    rng = random.Random(seed)
    return [
        batch(
            [_row(rng) for _ in range(rng.randrange(6))],
            [fee(f"f{rng.randrange(4)}", "f0", str(rng.randrange(3))) for _ in range(rng.randrange(3))],
        )
        for _ in range(batches)
    ]


def _row(rng: random.Random) -> FillRevision:
    name = f"f{rng.randrange(4)}"
    changes: dict[str, Any] = {
        "revision": rng.randrange(1, 4),
        "quantity": Decimal(rng.randrange(1, 3)),
        "source": rng.choice((Source.LIVE, Source.CONFIRMATION, Source.STATEMENT)),
        "trade_id": f"T-{name}",
        "session": DAY + timedelta(days=rng.choice((0, 0, 0, 3))),
    }
    if rng.random() < 0.2:
        return fill(f"x-{name}", **{**changes, "kind": FillKind.CANCEL, "cancels_trade_id": f"T-{name}"})
    return fill(name, **changes)


@pytest.mark.parametrize("seed", range(6))
def test_each_batch_counts_what_it_would_alone(stores: Any, seed: int) -> None:
    """Half of the batches first, so that some fills are known; then the others in one attempt."""
    told, alone = told_at_random(seed, 8), MemoryFillStore()
    for first in told[:4]:
        stores.fills.record(first, RECEIVED)
    expected = [alone.record(each, RECEIVED) for each in told]
    found = stores.fills.record_all(told[4:], RECEIVED)
    assert [counts(report) for report in found] == [counts(report) for report in expected[4:]]
    assert _standing(stores.fills) == _standing(alone)
    for ours, theirs in zip(found, expected[4:], strict=True):
        assert set(ours.touched) >= set(theirs.touched) - {(ACCOUNT, None)}
    assert _touched(found) == _touched(expected[4:])


def test_the_second_of_two_equal_batches_is_all_duplicates(stores: Any) -> None:
    """One content under two names: the first brings it, the second nothing."""
    one = corrected_order()
    reports = stores.fills.record_all([one, replace(one, origin="again")], RECEIVED)
    assert [counts(report) for report in reports] == [(4, 2, 0, 2, 0), (4, 0, 4, 0, 0)]
    assert [report.origin for report in reports] == ["test", "again"]
    assert reports[1].touched == ()


def test_a_cancel_touches_the_fill_that_another_batch_told(stores: Any) -> None:
    """The session of what it takes back changes, though neither was stored before."""
    later = DAY + timedelta(days=3)
    cancel = fill("x", kind=FillKind.CANCEL, cancels_trade_id="T1", session=later)
    _, second = stores.fills.record_all([batch([fill("a.01", trade_id="T1")]), batch([cancel])], RECEIVED)
    assert second.touched == ((ACCOUNT, DAY), (ACCOUNT, later))


def test_venues_lie_side_by_side(stores: Any) -> None:
    """One attempt may hold batches of several venues."""
    kalshi = batch([fill("k", venue=Venue.KALSHI)], venue=Venue.KALSHI)
    reports = stores.fills.record_all([batch([fill("k")]), kalshi], RECEIVED)
    assert [report.new for report in reports] == [1, 1]
    assert set(stores.fills.accounts()) == {(Venue.IBKR, ACCOUNT), (Venue.KALSHI, ACCOUNT)}


def test_a_row_that_no_column_holds_is_refused_in_its_own_batch(warehouse: Warehouse) -> None:
    """The rows of the other batches are stored, and the report of its own says what was refused."""
    wide = fill("wide", quantity=Decimal(10) ** 30)
    told = [batch([fill("a")]), batch([wide, fill("b")])]
    reports = ClickHouseFillStore(warehouse).record_all(told, RECEIVED)
    assert [counts(report) for report in reports] == [(1, 1, 0, 0, 0), (2, 1, 0, 0, 1)]
    assert warehouse.value("select count() from audit.rejected_rows") == 1


def test_nothing_is_nothing(stores: Any) -> None:
    """No batches, no reports."""
    assert list(stores.fills.record_all([], RECEIVED)) == []


def test_the_audit_has_a_row_for_each_batch(warehouse: Warehouse) -> None:
    """Under names of its own, each with its counts, its origin and its refused rows."""
    refused = RejectedRow(venue=Venue.IBKR, source=Source.LIVE, reason="no time", payload="<Trade/>")
    told = [replace(batch([fill(name)], [fee(name, name, "1")], [refused]), origin=name) for name in "abc"]
    ClickHouseFillStore(warehouse).record_all(told, RECEIVED)
    rows = warehouse.rows(
        "select origin, attempt_id, new_rows, rejected, new_fees from audit.ingestion_batches order by origin"
    )
    assert [(row["origin"], row["new_rows"], row["rejected"], row["new_fees"]) for row in rows] == [
        ("a", 1, 1, 1), ("b", 1, 1, 1), ("c", 1, 1, 1)
    ]  # fmt: skip
    assert len({row["attempt_id"] for row in rows}) == 3
    assert warehouse.value("select count() from audit.rejected_rows final") == 1


def test_a_fee_told_by_two_batches_is_one_row(warehouse: Warehouse) -> None:
    """Not even until a merge does the table hold it twice; the first batch brought it."""
    one = batch([], [fee("k", "a", "1.05")] * 2)
    ClickHouseFillStore(warehouse).record_all([one, replace(one, origin="again")], RECEIVED)
    assert warehouse.value("select count() from core.commission_facts") == 1
    assert warehouse.value("select groupArray(new_fees) from audit.ingestion_batches") == [1, 0]


def test_many_batches_cost_the_requests_of_one(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of requests does not grow with the number of batches."""
    store, asked = ClickHouseFillStore(warehouse), []
    for name in ("columns", "command", "insert", "insert_arrow"):
        real = getattr(Warehouse, name)

        def counted(self: Warehouse, *args: Any, real: Any = real, **named: Any) -> Any:
            asked.append(args[0])
            return real(self, *args, **named)

        monkeypatch.setattr(Warehouse, name, counted)
    covered = CoverageInterval(
        venue=Venue.IBKR, account=ACCOUNT, source=Source.LIVE, start=NOON, end=NOON + timedelta(hours=1)
    )
    per_size = []
    for size in (1, 20):
        told = [
            batch([fill(f"{size}-{n}")], [fee(f"{size}-{n}", "a", "1")], coverage=(covered,))
            for n in range(size)
        ]
        asked.clear()
        store.record_all(told, RECEIVED)
        per_size.append(len(asked))
    assert per_size[0] == per_size[1]


def _touched(reports: Sequence[BatchReport]) -> set[tuple[str, Any]]:
    return {pair for report in reports for pair in report.touched}


def _standing(store: Any) -> list[Any]:
    return list(store.fills(Venue.IBKR, ACCOUNT, (DAY, DAY + timedelta(days=3))))
