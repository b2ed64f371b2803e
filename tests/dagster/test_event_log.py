"""The event log of a run over many sessions: brief plans, one commit for a step, the same history."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.test_utils import freeze_time
from dagster._daemon.monitoring.concurrency import execute_concurrency_slots_iteration
from dagster._time import get_current_datetime

from assets.sessions import exchange_sessions
from desk.stack.dagster import write_instance
from desk.stack.layout import StackLayout
from orchestration.event_log import DATABASES_OPEN_MAX, WideRunEventLog

SESSIONS = ("2026-09-24", "2026-09-25", "2026-09-28")
TAGS = {
    "dagster/asset_partition_range_start": SESSIONS[0],
    "dagster/asset_partition_range_end": SESSIONS[-1],
}


@dg.asset(partitions_def=exchange_sessions(), backfill_policy=dg.BackfillPolicy.single_run(), tags={"a": "b"})
def booked() -> None:
    """An asset of many sessions."""


@dg.asset(deps=[booked])
def shown() -> None:
    """An asset without sessions."""


@dg.asset_check(asset=booked)
def adds_up() -> dg.AssetCheckResult:
    """A check of the run as a whole."""
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance as `desk up` configures it."""
    layout = StackLayout(tmp_path)
    layout.make_folders()
    write_instance(layout, concurrent_runs_max=4, code_server_port=4266)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "1000")
    with dg.DagsterInstance.from_config(str(layout.dagster)) as made:
        yield made


def _run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return dg.materialize([booked, shown, adds_up], instance=instance, tags=TAGS)


def test_the_stack_uses_it_on_the_files_of_dagsters_own(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """A home of an earlier release keeps its history."""
    log = instance.event_log_storage
    assert isinstance(log, WideRunEventLog)
    (tmp_path / "elsewhere").mkdir()
    default = dg.DagsterInstance.from_config(str(tmp_path / "elsewhere"))
    with default:
        assert type(default.event_log_storage) is SqliteEventLogStorage
        mine = Path(log.path_for_shard("index")).relative_to(tmp_path / "dagster")
        theirs = Path(default.event_log_storage.path_for_shard("index")).relative_to(tmp_path / "elsewhere")
    assert mine == theirs


def test_a_plan_is_as_long_as_its_assets_and_checks(instance: dg.DagsterInstance) -> None:
    """The number of sessions does not make a plan longer; every session is materialized all the same."""
    result = _run(instance)
    assert result.success
    planned = [
        entry.dagster_event.event_type_value
        for entry in instance.all_logs(result.run_id)
        if entry.dagster_event and entry.dagster_event.event_type_value.endswith("PLANNED")
    ]
    assert sorted(planned) == [
        "ASSET_CHECK_EVALUATION_PLANNED",
        "ASSET_MATERIALIZATION_PLANNED",
        "ASSET_MATERIALIZATION_PLANNED",
    ]
    assert instance.get_materialized_partitions(dg.AssetKey("booked")) == set(SESSIONS)
    assert instance.get_latest_materialization_event(dg.AssetKey("shown")) is not None


def test_a_planned_check_becomes_its_result(instance: dg.DagsterInstance) -> None:
    """One row, planned and then passed; none stays planned for ever."""
    result = _run(instance)
    log = instance.event_log_storage
    assert isinstance(log, WideRunEventLog)
    with closing(sqlite3.connect(log.path_for_shard("index"))) as index:
        rows = index.execute("select run_id, execution_status from asset_check_executions").fetchall()
    assert rows == [(result.run_id, "SUCCEEDED")]


def test_what_is_committed_at_once_is_what_single_commits_leave(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Batch and single events leave the same rows in the run's file and in the index."""
    result = _run(instance)
    told = [
        entry
        for entry in instance.all_logs(result.run_id)
        if entry.dagster_event and entry.dagster_event.event_type_value == "ASSET_MATERIALIZATION"
    ]
    assert len(told) == len(SESSIONS) + 1
    batched, single = WideRunEventLog(str(tmp_path / "b")), SqliteEventLogStorage(str(tmp_path / "s"))
    batched.store_event_batch(told)
    for entry in told:
        single.store_event(entry)
    assert _rows(batched, result.run_id) == _rows(single, result.run_id)


def test_events_of_several_kinds_are_stored_one_by_one(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """A batch that is more than one step's materializations goes the default's way, and is whole."""
    result = _run(instance)
    every = instance.all_logs(result.run_id)
    batched, single = WideRunEventLog(str(tmp_path / "b")), SqliteEventLogStorage(str(tmp_path / "s"))
    batched.store_event_batch(every)
    for entry in every:
        single.store_event(entry)
    assert _rows(batched, result.run_id) == _rows(single, result.run_id)


def test_a_run_that_was_killed_gives_its_place_in_the_pool_back(instance: dg.DagsterInstance) -> None:
    """Else every later step that writes to the warehouse would wait for it for ever."""
    log = instance.event_log_storage
    log.set_concurrency_slots("warehouse_writes", 1)
    run = instance.add_run(dg.DagsterRun(job_name="land_inbox", status=dg.DagsterRunStatus.STARTED))
    assert log.claim_concurrency_slot("warehouse_writes", run.run_id, "step").is_claimed
    assert not log.claim_concurrency_slot("warehouse_writes", "next", "step").is_claimed
    instance.report_run_canceled(run)
    watched = SimpleNamespace(instance=instance)
    with freeze_time(get_current_datetime() + timedelta(seconds=10)):
        list(execute_concurrency_slots_iteration(watched, logging.getLogger("test")))  # type: ignore[arg-type]
    assert log.claim_concurrency_slot("warehouse_writes", "next", "step").is_claimed


def test_the_newest_databases_stay_open_and_no_others(tmp_path: Path) -> None:
    """Closing one writes its log back, and waits for the disk: not after each event, but at the end."""
    log = WideRunEventLog(str(tmp_path))
    runs = [f"run-{number}" for number in range(DATABASES_OPEN_MAX + 2)]
    for run in runs:
        with log.run_connection(run) as connection:
            connection.execute(sa.text("insert into event_logs (run_id, event) values ('run', '{}')"))
    assert {path.name.removesuffix(".db-wal") for path in tmp_path.glob("*-wal")} == set(
        runs[-DATABASES_OPEN_MAX:]
    )
    log.dispose()
    assert list(tmp_path.glob("*-wal")) == []


def test_a_database_that_was_taken_away_is_made_anew(tmp_path: Path) -> None:
    """Else what a run says would go into a file that nobody finds."""
    log = WideRunEventLog(str(tmp_path))
    for _ in range(2):
        with log.run_connection("run") as connection:
            assert connection.execute(sa.text("select count(*) from event_logs")).scalar() == 0
            connection.execute(sa.text("insert into event_logs (run_id, event) values ('run', '{}')"))
        for path in tmp_path.glob("run.db*"):
            path.unlink()
    log.dispose()


def _rows(log: SqliteEventLogStorage, run_id: str) -> dict[str, list[tuple[object, ...]]]:
    found = {}
    for shard, table in ((run_id, "event_logs"), ("index", "event_logs"), ("index", "asset_keys")):
        with closing(sqlite3.connect(log.path_for_shard(shard))) as database:
            cursor = database.execute(f"select * from {table} order by id")
            left_out = [
                place for place, name in enumerate(cursor.description) if name[0] == "create_timestamp"
            ]
            found[f"{shard}.{table}"] = [
                tuple(cell for place, cell in enumerate(row) if place not in left_out) for row in cursor
            ]
    return found
