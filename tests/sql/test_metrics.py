"""Measures over time: raw samples, and roll-ups that a repeat does not change; what is raw goes first."""

import re
from datetime import timedelta

import pytest
from market_samples import OPEN

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.metric_store import ClickHouseMetricStore
from trading.errors import InvalidFieldError
from trading.ports.metric_store import SAMPLES_PER_CALL_MAX, Sample

KEPT_DAYS = {"samples": 7, "second_rows": 30, "minute_rows": 400, "hour_rows": None}


def sample(seconds: float, value: float, symbol: str = "SPY") -> Sample:
    """An age that was said so long after the opening."""
    at = OPEN + timedelta(seconds=seconds)
    return Sample(name="age_s", source="ibkr", feed="quotes", symbol=symbol, at=at, value=value)


@pytest.fixture
def told(warehouse: Warehouse) -> Warehouse:
    """Samples of two minutes of an hour, in two batches that overlap, one of them told again in others."""
    store = ClickHouseMetricStore(warehouse)
    samples = [sample(0.2, 5), sample(0.9, 3), sample(59, 9), sample(61, 1), sample(61, 7, "QQQ")]
    store.record(samples[2:])
    store.record(samples[:3])
    store.record(samples[:3])
    store.record(samples[1:])
    store.record([])
    return warehouse


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("seconds", [(0, 5, 3, 5, 3), (59, 9, 9, 9, 9), (61, 1, 1, 1, 1)]),
        ("minutes", [(0, 5, 3, 9, 9), (60, 1, 1, 1, 1)]),
        ("hours", [(0, 5, 1, 9, 1)]),
    ],
)
def test_a_roll_up_is_first_lowest_highest_and_last(
    told: Warehouse, view: str, expected: list[tuple[int, ...]]
) -> None:
    """By the time that was said, not that of storing; a sample told twice changes nothing."""
    hour = OPEN.replace(minute=0)
    for _ in range(2):
        rows = told.rows(f"select * from metrics.{view} where symbol = 'SPY' order by beginning")
        found = [(row["beginning"], row["first"], row["lowest"], row["highest"], row["last"]) for row in rows]
        start = hour if view == "hours" else OPEN
        assert found == [(start + timedelta(seconds=second), *values) for second, *values in expected]
        for table in KEPT_DAYS:
            told.command(f"optimize table metrics.{table} final")
    assert told.value("select count() from metrics.samples") == 5


def test_what_is_raw_goes_first(warehouse: Warehouse) -> None:
    """Retention counts from storing, so that a day that is played from a recording is kept as long as any."""
    tables = warehouse.rows("select name, engine_full from system.tables where database = 'metrics'")
    kept = {}
    for table in tables:
        if table["name"] in KEPT_DAYS:
            found = re.search(r"TTL stored_at \+ toIntervalDay\((\d+)\)", table["engine_full"])
            kept[table["name"]] = int(found.group(1)) if found else None
    assert kept == KEPT_DAYS


def test_a_call_has_a_bound(warehouse: Warehouse) -> None:
    """More is refused before anything is written."""
    with pytest.raises(InvalidFieldError, match="samples"):
        ClickHouseMetricStore(warehouse).record([sample(0, 1)] * (SAMPLES_PER_CALL_MAX + 1))
