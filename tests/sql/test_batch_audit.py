"""What ingestion did is in the audit and the log; what it could not read is in the dead letter, once."""

import logging
from datetime import timedelta
from decimal import Decimal

import pytest
from fill_samples import NOON, RECEIVED, batch, corrected_order, fill

from adapters.clickhouse import batch_audit
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import FillBatch, RejectedRow, Source, Venue

NOW = NOON + timedelta(hours=2)
STAGING = ("core.fill_staging", "core.commission_staging")


def refused(payload: str = "<Trade/>", reason: str = "no time") -> RejectedRow:
    """A row that could not be read."""
    return RejectedRow(venue=Venue.IBKR, source=Source.LIVE, reason=reason, payload=payload, field="dateTime")


def record(warehouse: Warehouse, told: FillBatch) -> None:
    """Store a batch at a known moment."""
    ClickHouseFillStore(warehouse, now=lambda: NOW).record(told, RECEIVED)


def test_each_batch_is_in_the_audit_with_its_counts_and_age(warehouse: Warehouse) -> None:
    """One row per attempt, also for a batch of refused rows only."""
    for told in (corrected_order(), corrected_order(), batch(rejected=[refused()])):
        record(warehouse, told)
    rows = warehouse.rows(
        "select total_rows, new_rows, duplicates_filtered, corrected, rejected, new_fees, first_fill_at, "
        "age_seconds from audit.ingestion_batches order by new_rows desc, duplicates_filtered desc"
    )
    assert [tuple(row.values())[:6] for row in rows] == [
        (4, 2, 0, 2, 0, 4),
        (4, 0, 4, 0, 0, 0),
        (1, 0, 0, 0, 1, 0),
    ]
    assert (rows[0]["first_fill_at"], rows[0]["age_seconds"]) == (NOON, Decimal(7200 - 99))
    assert (rows[2]["first_fill_at"], rows[2]["age_seconds"]) == (None, None)


def test_a_refused_row_that_comes_again_is_one_row(warehouse: Warehouse) -> None:
    """Another reason or another payload is another row."""
    for told in ([refused()], [refused(), refused(reason="no id")], [refused("<Trade a=''/>")]):
        record(warehouse, batch(rejected=told))
    rows = warehouse.rows("select reason, payload from audit.rejected_rows final order by reason, payload")
    assert [tuple(row.values()) for row in rows] == [
        ("no id", "<Trade/>"),
        ("no time", "<Trade a=''/>"),
        ("no time", "<Trade/>"),
    ]


def test_a_payload_is_whole_up_to_a_bound_and_its_length_is_told(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten megabytes do not come through; what is no UTF-8 becomes an escape."""
    monkeypatch.setattr(batch_audit, "PAYLOAD_CHARS_MAX", 100)
    record(
        warehouse,
        batch(rejected=[refused("é" * 5000), refused("\ud800"), refused("x'; drop table t --\x00")]),
    )
    rows = warehouse.rows(
        "select payload, payload_bytes from audit.rejected_rows order by payload_bytes desc"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("é" * 100, 10_000),
        ("x'; drop table t --\x00", 20),
        ("\\ud800", 6),
    ]


def test_the_log_lines_that_alerts_know_are_written(
    warehouse: Warehouse, caplog: pytest.LogCaptureFixture
) -> None:
    """Their names and their fields."""
    with caplog.at_level(logging.INFO):
        record(warehouse, batch([fill()], rejected=[refused()]))
    lines = [entry.getMessage() for entry in caplog.records if entry.name == batch_audit.logger.name]
    assert lines == [
        "fills_deduped total_rows=2 new_rows=1 duplicates_filtered=0 corrected=0 rejected=1",
        "fill_pipeline_stats first_fill_ts_iso=2026-07-17T16:00:00+00:00 "
        "last_fill_ts_iso=2026-07-17T16:00:00+00:00 now_iso=2026-07-17T18:00:00+00:00 ts_age_sec=7200.0",
    ]


def test_nothing_stays_in_staging(warehouse: Warehouse) -> None:
    """What an attempt staged is dropped with it."""
    record(warehouse, corrected_order())
    for table in STAGING:
        assert warehouse.value(f"select count() from {table}") == 0


def test_many_small_attempts_are_dropped_together(warehouse: Warehouse) -> None:
    """Two wait for the third, then all are gone, and the fills are there."""
    store = ClickHouseFillStore(warehouse, unstage_after=3)
    for number in range(3):
        left = {warehouse.value(f"select uniqExact(attempt_id) from {table}") for table in STAGING}
        assert left == {number}
        store.record(corrected_order(), NOON)
    for table in STAGING:
        assert warehouse.value(f"select count() from {table}") == 0
    assert warehouse.value("select count() from core.fills")
