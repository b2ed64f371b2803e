"""One scripted day of a client, and the log of events that it leaves: the same on both client libraries.

The log is kept in `session_log.txt` beside this file. After a change that is meant, write it anew with
`python -m pytest tests/scenario/test_broker_session_log.py --override-ini=addopts= -p no:cacheprovider` after
deleting it: a missing log is written, and the test fails once.
"""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway_client import gateway, run, until
from session_desk import Outcome, SessionDesk, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPTION, SmallBroker, hand_clock

from simulation.tws.server import GatewayServer
from trading.model.broker import BrokerEvent, BrokerEventKind, Verb

LOG = Path(__file__).parent / "session_log.txt"
OF_THE_MOMENT = ("asked_at", "answered_at", "to_at", "skew_ms", "broker_at")
CORRECTED_QUANTITY = "1"


def line_of(event: BrokerEvent) -> str:
    """One event without what depends on the moment."""
    payload = {name: value for name, value in event.payload.items() if name not in OF_THE_MOMENT}
    if payload.get("question") == "clock":
        payload["rows"] = len(payload["rows"])
    if payload.get("state") == "lost":
        del payload["text"]  # the system's words for a connection that was cut
    shown = json.dumps(payload, sort_keys=True, default=str)
    return f"{event.kind} {event.account} {shown}"


async def played(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
    """A bracket, partial fills at two exchanges, a correction, a drop, a missed fill, a cancel, a sweep."""
    await desk.ready()
    parent = place("entry", OPTION.conid, ACCOUNT, order_type="LMT", limit_price="1.2", quantity="3")
    family = {"parent_ref": "entry", "oca_group": "exit", "oca_type": 2}
    exits: dict[str, Any] = {"side": "SELL", "quantity": "3", **family}
    target = place("target", OPTION.conid, ACCOUNT, order_type="LMT", limit_price="1.9", **exits)
    stop = place("stop", OPTION.conid, ACCOUNT, order_type="STP", stop_price="0.6", **exits)
    for order in (parent, target, stop):
        assert (await desk.do(Verb.PLACE, order)).outcome is Outcome.DONE
    entry = next(iter(broker.orders))
    now = server.clock.now()
    for quantity, exchange in ((1, "CBOE"), (2, "AMEX")):
        server.tell(broker.fill(entry, Decimal(quantity), now, exchange))
        server.clock.advance(timedelta(seconds=2))  # type: ignore[attr-defined]
        await desk.told(BrokerEventKind.MESSAGE, 2 * quantity)
    first = desk.of(BrokerEventKind.MESSAGE)[0]["fields"]
    corrected = [*first[:14], first[14][:-2] + "02", *first[15:19], CORRECTED_QUANTITY, *first[20:]]
    server.send_raw(corrected)
    await desk.told(BrokerEventKind.MESSAGE, 5)
    server.drop_links()
    await until(lambda: "lost" in desk.states(), "the drop")
    missed = next(perm for perm, order in broker.orders.items() if order.ticket.order_ref == "target")
    broker.fill(missed, Decimal(3), server.clock.now())
    await desk.ready(2)
    assert (await desk.do(Verb.CANCEL, {"order_ref": "stop"})).outcome is Outcome.DONE
    assert (await desk.do(Verb.SWEEP, {})).outcome is Outcome.DONE


def test_a_scripted_session_leaves_the_same_log_on_both_libraries() -> None:
    """Connect, bracket, partial fills, correction, drop, reconnect, cancel, sweep: event by event."""
    lines: list[str] = []

    async def scenario() -> None:
        broker = SmallBroker()
        settings = {"reconnect_first_s": 0.05, "reconnect_max_s": 0.05}
        async with (
            gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(broker_settings(server.port, **settings)) as desk,
        ):
            await played(server, broker, desk)
            lines.extend(line_of(event) for event in desk.events)

    run(scenario())
    if not LOG.exists():
        LOG.write_text("\n".join(lines) + "\n")
        raise AssertionError(f"{LOG} was missing and is written: read it, and keep it")
    assert lines == LOG.read_text().splitlines()
