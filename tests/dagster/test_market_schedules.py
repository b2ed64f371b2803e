"""The market's schedule asks for the day's session by the exchange's hours, where anything can tell it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS

from adapters.configuration import load_settings
from orchestration.market_schedules import EVENING, HOURLY, MORNING, has_source, market_hours
from trading.market_settings import HistorySettings
from trading.model.times import NEW_YORK
from trading.settings import Settings


@pytest.fixture(scope="module")
def settings() -> Settings:
    """A desk with a folder of recorded sessions."""
    return replace(load_settings(), history=HistorySettings(lean_folder=Path("/nowhere")))


def _tick(settings: Settings, at: str) -> Any:
    moment = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            resources={"settings": settings},
            repository_def=DEFINITIONS.get_repository_def(),
        ) as context,
    ):
        return market_hours.evaluate_tick(context)


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-11-20T10:15", "2026-11-20"),
        ("2026-11-20T18:00", "2026-11-20"),
        ("2026-11-27T18:00", "2026-11-27"),
        ("2026-11-26T11:15", "2026-11-25"),
        ("2026-11-20T06:00", "2026-11-19"),
        ("2026-11-23T06:00", "2026-11-20"),
        ("2026-11-27T06:00", "2026-11-25"),
    ],
    ids=[
        "in the session",
        "after it",
        "after an early close",
        "on Thanksgiving",
        "in the morning",
        "on a Monday's morning",
        "in the morning after Thanksgiving",
    ],
)
def test_a_tick_asks_for_the_session_of_the_day(settings: Settings, at: str, session: str) -> None:
    """On a closed day for the one before, so that what is fresh stays fresh."""
    (asked,) = _tick(settings, at).run_requests
    assert asked.partition_key == session
    assert asked.tags["dagster/partition"] == session


def test_two_ticks_of_a_session_are_two_runs(settings: Settings) -> None:
    """A run key that named only the session would count it once a day."""
    first, second = (_tick(settings, f"2026-11-20T{hour}:15").run_requests[0].run_key for hour in (10, 11))
    assert first != second


def test_a_desk_without_a_source_is_skipped(settings: Settings) -> None:
    """Nothing could be counted or loaded."""
    nothing = replace(
        settings,
        history=HistorySettings(lean_folder=None),
        broker=replace(settings.broker, host=None),
        vendors=replace(settings.vendors, alpha_vantage_key=None),
    )
    assert not has_source(nothing)
    tick = _tick(nothing, "2026-11-20T10:15")
    assert not tick.run_requests
    assert "no broker, vendor or folder" in tick.skip_message
    assert has_source(replace(nothing, broker=replace(settings.broker, host="127.0.0.1")))


def test_ticks_come_before_the_deadlines_of_freshness(settings: Settings) -> None:
    """Each hour from a quarter past ten to the close, and in the evening; the policies look a while later."""
    assert (HOURLY, EVENING, MORNING) == ("15 10-16 * * 1-5", "0 18 * * 1-5", "0 6 * * 1-5")
    specs = {
        spec.key.path[-1]: spec
        for spec in DEFINITIONS.resolve_all_asset_specs()
        if spec.group_name == "market"
    }
    deadlines = {name: spec.freshness_policy.deadline_cron for name, spec in specs.items()}  # type: ignore[union-attr]
    assert set(deadlines.values()) == {"30 10-16 * * 1-5", "30 18 * * 1-5"}
