"""Messages recorded from a real TWS, through the tap and the listener."""

import json
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from session_desk import broker_settings

from adapters.clock import SystemClock
from adapters.ibkr.session.client_library import new_client
from adapters.ibkr.session.listener import Listener
from adapters.ibkr.session.session import BrokerSession
from adapters.ibkr.session.tap import tap
from trading.model.broker import BrokerEvent, BrokerEventKind


def told(messages: list[dict[str, Any]]) -> list[BrokerEvent]:
    """What the session tells of these messages."""
    session = BrokerSession(broker_settings(client_id=100), SystemClock(), Random(7))
    client = new_client(Listener(session, "America/New_York", lambda: None))
    tap(client.decoder, session)
    for message in messages:
        if len(message["fields"]) > 2:
            client.decoder.serverVersion = int(str(message["server_version"])[:3])
            client.decoder.interpret(list(message["fields"]))
    return list(session.outputs.events)


@pytest.fixture
def recorded(shared_data: Path) -> dict[str, list[dict[str, Any]]]:
    """The recorded messages by group."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in (shared_data / "ibkr-wire" / "messages.jsonl").read_text().splitlines():
        message = json.loads(line)
        groups.setdefault(message["group"], []).append(message)
    return groups


def test_no_recorded_message_is_an_alert(recorded: dict[str, list[dict[str, Any]]]) -> None:
    """Everything a real TWS said is understood, code or message."""
    for group, messages in recorded.items():
        alerts = [event for event in told(messages) if event.kind is BrokerEventKind.ALERT]
        assert not alerts, group


def test_a_recorded_market_order_is_told_from_its_first_word_to_its_fill(
    recorded: dict[str, list[dict[str, Any]]],
) -> None:
    """Open order, execution, fill: the execution as text, and the order twice, with what filled."""
    events = told(recorded["aapl_mkt_order_2025_04_15"])
    orders = [event.payload for event in events if event.kind is BrokerEventKind.ORDER]
    assert [(item["status"], item["filled"], item["average_price"]) for item in orders] == [
        ("PreSubmitted", "0", None),
        ("Filled", "100", "201.94"),
    ]
    assert {item["perm_id"] for item in orders} == {"600745656"}
    assert (orders[0]["limit_price"], orders[0]["stop_price"]) == (None, None)
    (execution,) = [event.payload["fields"] for event in events if event.kind is BrokerEventKind.MESSAGE]
    assert (execution[0], len(execution), Decimal(execution[20])) == ("11", 31, Decimal("201.94"))


def test_a_recorded_completed_order_is_an_order_that_is_over(
    recorded: dict[str, list[dict[str, Any]]],
) -> None:
    """It has no number and no client, and it is filled."""
    (event,) = told(recorded["completed_order_aapl"])
    assert event.kind is BrokerEventKind.ORDER
    assert event.payload["status"] == "Filled"
    assert (event.payload["quantity"], event.payload["filled"], event.payload["remaining"]) == (
        "100",
        "100",
        "0",
    )


def test_recorded_farm_notices_leave_the_link_as_it_is(recorded: dict[str, list[dict[str, Any]]]) -> None:
    """Told with their codes, in the state that the link was in."""
    events = told(recorded["farm_status_2025_03_23"])
    assert [(event.payload["code"], event.payload["state"]) for event in events] == [
        (2104, "lost"),
        (2107, "lost"),
        (2158, "lost"),
    ]
