"""Statements fetched by schedule: asked for when they are due and not here, landed like any other file."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import dagster as dg
import pytest
from dagster_desk import DEFINITIONS, Desk
from flex_documents import activity, confirm, confirmations, document, section, statement

from orchestration.resources import RESOURCES
from orchestration.schedules import fetch_activity, fetch_confirmations
from simulation.http.flex import FlexStub, error, serve_flex
from simulation.http.server import Fault
from trading.model.times import NEW_YORK

TOKEN = "998877665544332211009988"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FlexStub]:
    """The broker's service, and a desk that is configured for it."""
    statements = {"744001": activity(), "744002": confirmations(confirm())}
    with serve_flex(statements, token=TOKEN) as running:
        assert isinstance(running, FlexStub)
        told = {
            "IBKR_FLEX_TOKEN": TOKEN,
            "IBKR_FLEX_ACTIVITY_QUERY": "744001",
            "IBKR_FLEX_CONFIRMATION_QUERY": "744002",
            "IBKR_FLEX_URL": running.base_url,
            "IBKR_FLEX_INTERVAL_MS": "0",
            "IBKR_FLEX_BACKOFF_MS": "0",
        }
        for name, value in told.items():
            monkeypatch.setenv(name, value)
        yield running


def tick(desk: Desk, schedule: dg.ScheduleDefinition, at: str) -> Any:
    moment = datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    context = dg.build_schedule_context(
        instance=desk.instance, scheduled_execution_time=moment, resources=RESOURCES,
        repository_def=DEFINITIONS.get_repository_def(),
    )  # fmt: skip
    with context:
        return schedule.evaluate_tick(context)


def config(query: str, session: str) -> dict[str, Any]:
    return {"ops": {"fetch_statement": {"config": {"query": query, "session": session}}}}


@pytest.mark.parametrize(
    ("schedule", "at", "variable"),
    [
        (fetch_activity, "2026-09-29T06:30", "IBKR_FLEX_ACTIVITY_QUERY"),
        (fetch_confirmations, "2026-09-28T16:45", "IBKR_FLEX_CONFIRMATION_QUERY"),
    ],
)
def test_without_a_token_the_tick_says_so(
    desk: Desk, schedule: dg.ScheduleDefinition, at: str, variable: str
) -> None:
    """No run and no failure: the skip names what to set."""
    answer = tick(desk, schedule, at)
    assert not answer.run_requests
    assert answer.skip_message == f"not configured: set IBKR_FLEX_TOKEN and {variable}"


def test_a_run_without_a_token_is_skipped(desk: Desk) -> None:
    """By hand from the UI, it ends well and leaves nothing."""
    done = desk.run("fetch_statements", config("activity", ""))
    assert done.success
    assert not [event for event in done.all_events if event.event_type_value == "STEP_OUTPUT"]
    assert list(desk.inbox.glob("flex-*")) == []


def test_the_evenings_confirmations_are_fetched_and_landed(desk: Desk, stub: FlexStub) -> None:
    """From 45 minutes after the close, for an hour; the file is landed by the sensor like a person's."""
    assert not tick(desk, fetch_confirmations, "2026-09-25T16:30").run_requests
    (asked,) = tick(desk, fetch_confirmations, "2026-09-25T16:45").run_requests
    (again,) = tick(desk, fetch_confirmations, "2026-09-25T17:45").run_requests
    assert again.run_key != asked.run_key
    assert not tick(desk, fetch_confirmations, "2026-09-25T18:00").run_requests
    assert desk.run("fetch_statements", asked.run_config, asked.tags).success
    (file,) = desk.inbox.glob("flex-confirmation-*.xml")
    assert file.read_bytes() == stub.statements["744002"]
    desk.tick()
    assert desk.request(desk.tick()).success
    assert desk.landed()[file.name]["state"] == "landed"
    here = tick(desk, fetch_confirmations, "2026-09-25T17:00")
    assert (here.run_requests, here.skip_message) == ([], "the confirmation statement of 2026-09-25 is here")


def test_the_activity_statement_is_asked_for_until_it_is_here(desk: Desk, stub: FlexStub) -> None:
    """One that ends too early stays outside; the next tick asks again; once it is landed, nobody asks."""
    stub.statements["744001"] = activity_until("20260925")
    (asked,) = tick(desk, fetch_activity, "2026-09-29T06:30").run_requests
    assert desk.run("fetch_statements", asked.run_config, asked.tags).success
    assert list(desk.inbox.glob("flex-activity-*.xml")) == []
    stub.statements["744001"] = activity_until("20260928")
    (again,) = tick(desk, fetch_activity, "2026-09-29T06:45").run_requests
    assert again.run_key != asked.run_key
    assert desk.run("fetch_statements", again.run_config, again.tags).success
    assert len(list(desk.inbox.glob("flex-activity-*.xml"))) == 1
    desk.tick()
    assert desk.request(desk.tick()).success
    here = tick(desk, fetch_activity, "2026-09-29T07:00")
    assert (here.run_requests, here.skip_message) == ([], "the activity statement of 2026-09-28 is here")


def activity_until(day: str) -> bytes:
    """An Activity statement without trades that ends on a day."""
    return document(statement(section("Trades"), toDate=day))


def test_a_refusal_fails_the_run_with_what_to_mend(desk: Desk, stub: FlexStub) -> None:
    """An expired token is red in the UI, and its words carry no token."""
    stub.faults.append(Fault(answer=error(1012)))
    done = desk.run("fetch_statements", config("activity", ""))
    assert not done.success
    (failure,) = [event for event in done.all_events if event.event_type_value == "STEP_FAILURE"]
    words = str(failure.event_specific_data)
    assert "code 1012, the token has expired" in words
    assert TOKEN not in words
