"""A statement lands, its session is closed, assets and checks say what they should; real warehouse."""

from pathlib import Path

import dagster as dg
import pytest
from dagster_desk import Desk, failed_checks, failures

CONFIRMATION = "today.xml"
SESSION = "2026-09-28"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def landed(desk: Desk, shared_data: Path) -> dg.ExecuteInProcessResult:
    """The real Trade Confirmation file, landed through the sensor."""
    return desk.land(shared_data / "ibkr-flex" / CONFIRMATION)


@pytest.fixture(scope="module")
def closed(desk: Desk, landed: dg.ExecuteInProcessResult) -> dg.ExecuteInProcessResult:
    """The run that the landed file asked for."""
    return desk.request(desk.tick_books())


def test_a_landed_file_tells_its_counts(desk: Desk, landed: dg.ExecuteInProcessResult) -> None:
    """The run's metadata carries the statistics under the names that alerts know."""
    assert not failures(landed)
    (event,) = landed.asset_materializations_for_node("land_files")[:1]
    told = event.metadata["fills_deduped"].value
    assert told == {
        "total_rows": 7, "new_rows": 7, "duplicates_filtered": 0, "corrected": 0, "rejected": 0
    }  # fmt: skip
    assert event.metadata["fill_pipeline_stats"].value["ts_age_sec"] is not None
    assert (desk.home / "archive" / desk.landed()[CONFIRMATION]["sha256"]).stat().st_mode & 0o222 == 0
    assert (desk.inbox / CONFIRMATION).exists()


def test_its_session_is_closed_at_once(desk: Desk, closed: dg.ExecuteInProcessResult) -> None:
    """Everything from the fills to the marts is built for the session of the file."""
    assert not failures(closed)
    assert closed.success
    assert desk.warehouse.value("select count() from marts.daily_pnl") > 0
    assert desk.landed()[CONFIRMATION]["state"] == "reconciled"
    assert not failed_checks(closed) - {"no_break_is_open"}


def test_nothing_waits_any_more(desk: Desk, closed: dg.ExecuteInProcessResult) -> None:
    """After the books are closed neither sensor asks for a run."""
    assert closed.success
    assert not desk.tick().run_requests
    assert desk.tick_books().skip_message


def test_pnl_shows_a_plot_and_models_their_columns(closed: dg.ExecuteInProcessResult) -> None:
    """The P&L asset carries a picture, and a model the lineage of each of its columns."""
    pnl = _materialized(closed, "core", "pnl_daily")
    assert pnl.metadata["daily P&L"].value.startswith("![P&L")
    model = _materialized(closed, "marts", "daily_pnl")
    lineage = model.metadata["dagster/column_lineage"].value.deps_by_column
    assert [(dep.asset_key.path[-1], dep.column_name) for dep in lineage["realized"]] == [
        ("stg_pnl_daily", "realized")
    ]
    described = {
        column.name: column.description for column in model.metadata["dagster/column_schema"].value.columns
    }
    assert "net of" in described["realized"]


def test_core_tables_say_what_their_columns_mean(closed: dg.ExecuteInProcessResult) -> None:
    """The catalog shows a text beside every column of the P&L."""
    columns = _materialized(closed, "core", "pnl_daily").metadata["dagster/column_schema"].value.columns
    assert columns
    assert all(column.description for column in columns)


def test_quality_results_are_kept(desk: Desk, closed: dg.ExecuteInProcessResult) -> None:
    """Each examination leaves a row for each of its rules."""
    assert closed.success
    rows = desk.warehouse.rows("select rule, passed from audit.quality_results")
    assert {"fills_are_unique", "blank_fill_ids", "pnl_adds_up"} <= {row["rule"] for row in rows}
    assert (desk.home / "quality" / "core.fills.html").stat().st_size > 0


def test_a_range_is_backfilled_twice_with_one_result(desk: Desk, closed: dg.ExecuteInProcessResult) -> None:
    """Closing three sessions again, archive read again, changes no row and is one run."""
    assert closed.success
    before = _contents(desk)
    for _ in range(2):
        again = desk.close_range("2026-09-24", SESSION)
        assert not failures(again)
        fills = [
            event for event in again.get_asset_materialization_events()
            if event.asset_key == dg.AssetKey(["core", "fills"])
        ]  # fmt: skip
        assert {event.partition for event in fills} == {"2026-09-24", "2026-09-25", SESSION}
    assert _contents(desk) == before


def test_lost_fills_come_back_from_the_archive(desk: Desk, closed: dg.ExecuteInProcessResult) -> None:
    """What a table lost is there again after its sessions are built again."""
    assert closed.success
    before = _contents(desk)
    desk.warehouse.command("truncate table core.fill_revisions")
    assert not failures(desk.close_range(SESSION, SESSION))
    assert _contents(desk) == before


def _contents(desk: Desk) -> dict[str, list[dict[str, object]]]:
    """The tables but for the times at which things were told."""
    left_out = "except (received_at, ingested_at, batch_id)"
    return {
        "fills": desk.warehouse.rows(f"select * {left_out} from core.fills order by fill_id"),
        "pnl": desk.warehouse.rows("select * except (computed_at) from core.pnl_daily order by all"),
        "marts": desk.warehouse.rows("select * from marts.daily_pnl order by all"),
        "breaks": desk.warehouse.rows("select * from core.breaks order by break_id"),
    }


def _materialized(result: dg.ExecuteInProcessResult, *key: str) -> dg.AssetMaterialization:
    for event in reversed(result.get_asset_materialization_events()):
        if event.asset_key == dg.AssetKey(list(key)):
            return event.step_materialization_data.materialization
    raise AssertionError(f"{key} was not materialized")
