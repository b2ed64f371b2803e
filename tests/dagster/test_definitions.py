"""The code location as Dagster sees it: it loads from nothing, and shows what the desk promises."""

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
from dagster_desk import DEFINITIONS

from assets.closed_days import CLOSED_WEEKDAYS
from assets.sessions import FIRST_SESSION, exchange_sessions
from trading.calendar import CALENDAR_END, is_session

ROOT = Path(__file__).parents[2]
HEAVY = (
    "great_expectations",
    "ib_insync",
    "matplotlib",
    "exchange_calendars",
    "clickhouse_connect",
    "sqlglot",
)
PROBE = f"""
import socket, sys
def refuse(*args, **kwargs):
    raise RuntimeError("network at load")
socket.socket.connect = refuse
from orchestration.definitions import defs
(defs() if callable(defs) else defs).get_repository_def()
print([name for name in {HEAVY!r} if name in sys.modules])
"""
FATHOMED = {
    "core/fills", "core/fill_revisions", "core/broker_statements", "core/positions", "core/positions_eod",
    "core/pnl_daily", "core/lot_matches", "core/breaks", "core/sign_offs", "core/cash_ledger",
    "audit/landed_files", "audit/ingestion_batches", "marts/daily_pnl", "marts/reconciliation_breaks",
    "marts/equity_curve", "marts/fill_dedup", "marts/fill_revision_history", "marts/int_round_trips",
}  # fmt: skip


def test_definitions_load_in_a_fresh_interpreter_with_nothing() -> None:
    """The code location loads with an empty environment and no network, and imports nothing heavy."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_every_asset_is_described_owned_grouped_and_fresh() -> None:
    """No asset is without description, owner, group, kind and code version."""
    graph = DEFINITIONS.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    assert keys >= FATHOMED
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.kinds, key
        assert node.code_version, key


def test_lineage_runs_from_the_inbox_to_the_equity_curve() -> None:
    """A file of the inbox is an ancestor of fills, P&L, breaks and the marts."""
    graph = DEFINITIONS.resolve_asset_graph()
    ancestors = graph.get_ancestor_asset_keys(dg.AssetKey(["marts", "equity_curve"]))
    wanted = (
        ("marts", "daily_pnl"), ("core", "pnl_daily"), ("core", "fills"), ("core", "fill_revisions"),
        ("audit", "landed_files"),
    )  # fmt: skip
    assert {dg.AssetKey(list(key)) for key in wanted} <= ancestors


def test_closed_days_are_the_calendars() -> None:
    """The list of closed weekdays says the same as the exchange's calendar, day by day."""
    days = (FIRST_SESSION + timedelta(days=n) for n in range((CALENDAR_END - FIRST_SESSION).days + 1))
    closed = {day for day in days if day.weekday() < 5 and not is_session(day)}
    assert {day for day in CLOSED_WEEKDAYS if day >= FIRST_SESSION} == closed


def test_partitions_are_sessions() -> None:
    """Neither a Saturday nor Thanksgiving is a partition; the Friday after it, an early close, is one."""
    keys = set(exchange_sessions().get_partition_keys())
    assert {"2025-11-28", "2025-12-24"} <= keys
    assert not {"2025-11-27", "2025-11-29", "2025-12-25"} & keys
    assert all(is_session(date.fromisoformat(key)) for key in keys)


def test_jobs_sensors_and_schedules_have_the_names_that_the_desk_calls() -> None:
    """The command line starts jobs by name."""
    repository = DEFINITIONS.get_repository_def()
    called = {"land_inbox", "close_the_books", "reconcile_session", "fetch_statements", "load_market"}
    assert called <= set(repository.job_names)
    assert {sensor.name for sensor in repository.sensor_defs} == {"inbox", "books", "residents"}
    assert {item.name for item in repository.schedule_defs} == {
        "provisional_reconciliation", "final_reconciliation", "fetch_confirmations", "fetch_activity",
        "market_sessions",
    }  # fmt: skip


def test_checks_that_guard_pnl_are_blocking() -> None:
    """Wrong fills never reach P&L; an open break fails its check and blocks nothing."""
    graph = DEFINITIONS.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert {
        "fills_are_unique",
        "fill_ids_are_not_blank",
        "quantities_are_above_zero",
        "pnl_adds_up",
    } <= blocking
    assert "no_break_is_open" not in blocking
