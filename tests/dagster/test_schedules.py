"""The schedules ask for the right sessions at the right ticks."""

from datetime import datetime
from typing import Any

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS, Desk

from orchestration.resources import RESOURCES
from orchestration.schedules import AFTER_CLOSES, MORNINGS, final, provisional
from trading.model.times import NEW_YORK

FRIDAY_AFTER_THANKSGIVING = "2026-11-27"


def _asked(desk: Desk, schedule: dg.ScheduleDefinition, at: str) -> list[Any]:
    moment = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    context = dg.build_schedule_context(
        instance=desk.instance, scheduled_execution_time=moment, resources=RESOURCES,
        repository_def=DEFINITIONS.get_repository_def(),
    )  # fmt: skip
    with context:
        return list(schedule.evaluate_tick(context).run_requests or ())


def test_an_early_close_is_followed_by_its_provisional_pass(desk: Desk) -> None:
    """45 minutes after 13:00, and not again at 16:45."""
    (asked,) = _asked(desk, provisional, f"{FRIDAY_AFTER_THANKSGIVING}T13:45")
    assert asked.tags["dagster/asset_partition_range_start"] == FRIDAY_AFTER_THANKSGIVING
    assert asked.tags["dagster/asset_partition_range_end"] == FRIDAY_AFTER_THANKSGIVING
    assert not _asked(desk, provisional, f"{FRIDAY_AFTER_THANKSGIVING}T16:45")


@pytest.mark.parametrize("at", ["2026-11-26T16:45", "2026-12-25T16:45"])
def test_a_holiday_has_no_pass(desk: Desk, at: str) -> None:
    """The exchange is closed."""
    assert not _asked(desk, provisional, at)


def test_an_empty_warehouse_has_nothing_to_settle(desk: Desk) -> None:
    """The final pass asks only for sessions that some account traded on."""
    assert not _asked(desk, final, "2026-11-28T06:30")


def test_the_ticks_lie_where_the_calendar_can_ask_for_them() -> None:
    """New York's time, every quarter of an hour, weekdays for closes and Tuesday to Saturday for mornings."""
    assert {schedule.execution_timezone for schedule in (provisional, final)} == {"America/New_York"}
    assert AFTER_CLOSES.startswith("*/15")
    assert AFTER_CLOSES.endswith("1-5")
    assert MORNINGS.endswith("2-6")
