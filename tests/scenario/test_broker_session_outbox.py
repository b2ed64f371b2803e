"""What was heard reaches the outbox, whatever happens to Redis: it waits, or it is told again."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from gateway_client import gateway, run, until
from session_desk import VALID_S, Outcome, SessionDesk, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPTION, SmallBroker, hand_clock

from adapters.memory.alerts import MemoryAlerts
from adapters.memory.outbox import MemoryOutbox, MemoryStream
from simulation.broker.model import Ticket
from simulation.tws.server import GatewayServer
from trading.errors import ConfigurationError, InvalidFieldError, LiveStateUnavailableError
from trading.model.broker import BrokerEvent, BrokerEventKind, LinkState, Verb
from trading.ports.outbox import Appended, Outbox
from trading.settings import BrokerSettings

FAST = {"reconnect_first_s": 0.05, "reconnect_max_s": 0.2}
Scenario = Callable[[GatewayServer, SmallBroker, SessionDesk, "FaultyOutbox"], Coroutine[Any, Any, None]]


class FaultyOutbox(Outbox):
    """An outbox that is away on demand, or refuses one kind of event."""

    def __init__(self, stream: MemoryStream) -> None:
        self._inner = MemoryOutbox(stream)
        self.is_away = False
        self.refuses: BrokerEventKind | None = None
        self.breaks: Exception | None = None
        self.tries = 0

    def append(self, events: Sequence[BrokerEvent]) -> Appended:
        """Append, unless it is away."""
        self.tries += 1
        if self.is_away:
            raise LiveStateUnavailableError("nobody there")
        if self.breaks is not None:
            raise self.breaks
        for event in events:
            if event.kind is self.refuses:
                raise InvalidFieldError("payload", "something that can be kept", event.kind)
        return self._inner.append(events)


def played(scenario: Scenario, **changes: Any) -> None:
    """Run a scenario with a ready session whose outbox can go away."""

    def settings(server: GatewayServer) -> BrokerSettings:
        return broker_settings(server.port, **{**FAST, **changes})

    async def play() -> None:
        broker, stream = SmallBroker(), MemoryStream()
        outbox = FaultyOutbox(stream)
        async with (
            gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(settings(server), stream=stream, outbox=outbox) as desk,
        ):
            await desk.ready()
            await scenario(server, broker, desk, outbox)

    run(play())


def trade(server: GatewayServer, broker: SmallBroker, count: int, first: int = 900) -> None:
    """Orders that fill at once, told live."""
    for number in range(first, first + count):
        ticket = Ticket(
            client_id=11,
            order_id=number,
            account=ACCOUNT,
            contract=OPTION,
            action="BUY",
            quantity=Decimal(1),
            order_type="MKT",
            order_ref=f"r{number}",
        )
        server.tell(broker.place(ticket, server.clock.now()))


def executions(desk: SessionDesk) -> list[str]:
    """The execution ids that were told, in order."""
    told = desk.of(BrokerEventKind.MESSAGE)
    return [payload["fields"][14] for payload in told if payload["fields"][0] == "11"]


def test_what_is_heard_while_redis_is_away_waits_and_is_told_once() -> None:
    """Ten executions during the outage stand in the outbox afterwards, each once and in order."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        outbox.is_away = True
        trade(server, broker, 10)
        tries = outbox.tries
        await until(lambda: outbox.tries > tries + 1, "another try")
        assert executions(desk) == []
        outbox.is_away = False
        await until(lambda: len(executions(desk)) == 10, "the executions")
        assert executions(desk) == [told.exec_id for told, _ in broker.told]

    played(scenario)


def test_no_order_is_sent_before_its_record_is_kept() -> None:
    """With the outbox away an order waits, and is refused when it is too late: the broker never saw it."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        warm = await desk.do(Verb.PLACE, place("warm", OPTION.conid, ACCOUNT))
        assert warm.outcome is Outcome.DONE
        outbox.is_away = True
        tries = outbox.tries
        command_id = desk.send(Verb.PLACE, place("waits", OPTION.conid, ACCOUNT))
        await until(lambda: outbox.tries > tries + 1, "some tries")
        assert [order.ticket.order_ref for order in broker.orders.values()] == ["warm"]
        desk.clock.leap(2 * VALID_S)
        outbox.is_away = False
        await until(lambda: desk.queue.result(command_id) is not None, "the refusal")
        result = desk.queue.result(command_id)
        assert result is not None and result.outcome is Outcome.REFUSED and "not sent" in result.reason
        assert [order.ticket.order_ref for order in broker.orders.values()] == ["warm"]

    played(scenario)


def test_a_child_that_waited_does_not_go_out_after_its_parent_was_too_late() -> None:
    """The parent's time was over before its record was kept: an exit alone would open a position."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        await desk.do(Verb.PLACE, place("warm", OPTION.conid, ACCOUNT))
        outbox.is_away = True
        parent = place("entry", OPTION.conid, ACCOUNT, transmit=False)
        child = place("exit", OPTION.conid, ACCOUNT, side="SELL", parent_ref="entry")
        late = desk.clock.now() + timedelta(seconds=5 * VALID_S)
        tries = outbox.tries
        commands = [desk.send(Verb.PLACE, parent), desk.send(Verb.PLACE, child, valid_until=late)]
        await until(lambda: outbox.tries > tries + 1, "some tries")
        desk.clock.leap(2 * VALID_S)  # the parent's time is over, the child's is not
        outbox.is_away = False
        for command_id in commands:
            await until(lambda name=command_id: desk.queue.result(name) is not None, "a result")  # type: ignore[misc]
        results = [desk.queue.result(command_id) for command_id in commands]
        assert [result and result.outcome for result in results] == [Outcome.REFUSED, Outcome.REFUSED], (
            results
        )
        assert [order.ticket.order_ref for order in broker.orders.values()] == ["warm"]

    played(scenario)


def test_a_lost_outbox_is_told_everything_again() -> None:
    """A new epoch: executions, orders and answers of the day are told once more, and a person is told."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        trade(server, broker, 3)
        await until(lambda: len(executions(desk)) == 3, "the executions")
        desk.stream.flush()
        trade(server, broker, 1, first=950)
        await until(lambda: len(executions(desk)) >= 4, "all executions again")
        assert set(executions(desk)) == {told.exec_id for told, _ in broker.told}
        await desk.told(BrokerEventKind.ALERT, code="outbox_lost")
        await until(lambda: len(desk.answers("executions")) >= 1, "the answer that says so")
        refs = {payload["order_ref"] for payload in desk.of(BrokerEventKind.ORDER)}
        assert refs == {"r900", "r901", "r902", "r950"}

    played(scenario)


def test_a_full_spool_hangs_up_instead_of_losing() -> None:
    """Nothing can be kept: the session leaves, comes back when there is room, and hears the rest again."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        outbox.is_away = True
        trade(server, broker, 30)
        await until(lambda: desk.runner.state is LinkState.LOST, "the session to hang up")
        trade(server, broker, 30, first=1_000)
        outbox.is_away = False
        await desk.ready(2)
        await until(lambda: len(executions(desk)) == 60, "all executions")
        assert sorted(executions(desk)) == sorted(told.exec_id for told, _ in broker.told)
        assert desk.of(BrokerEventKind.ALERT, code="outbox_full")

    played(scenario, spool_events_max=100)


def test_an_event_that_cannot_be_kept_is_left_out_alone() -> None:
    """The others of its batch are kept, and a person is told."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        outbox.refuses = BrokerEventKind.ORDER
        trade(server, broker, 2)
        await until(lambda: len(executions(desk)) == 2, "the executions")
        await desk.told(BrokerEventKind.ALERT, code="event_left_out")

    played(scenario)


def test_an_alert_reaches_the_people_who_watch() -> None:
    """What is told as an alert also stands where alerts are looked at, under the session's name."""

    async def play() -> None:
        alerts = MemoryAlerts()
        async with (
            gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(broker_settings(server.port, **FAST), alerts=alerts) as desk,
        ):
            await desk.ready()
            server.notify(98_765, "something new")
            server.send_raw(["{odd}", "what is this"])
            await until(lambda: len(alerts.told) == 2, "both alerts")
        assert set(alerts.told) == {"broker_code_98765", "broker_undecodable_text"}

    run(play())


def test_the_end_of_what_the_gateway_lost_reaches_them_too() -> None:
    """1100 is open while the broker is away, and over when the link was walked and is ready."""

    async def play() -> None:
        alerts = MemoryAlerts()
        async with (
            gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(broker_settings(server.port, **FAST), alerts=alerts) as desk,
        ):
            await desk.ready()
            server.lose_broker()
            await until(lambda: "broker_code_1100" in alerts.open, "the alert")
            server.find_broker(data_lost=True)
            await until(lambda: "broker_code_1100" in alerts.over, "its end")
        assert alerts.open == {}

    run(play())


def test_an_error_that_waiting_does_not_mend_ends_the_process() -> None:
    """Its supervisor starts it anew; a session that hears and cannot write would only look alive."""

    async def scenario(
        server: GatewayServer, broker: SmallBroker, desk: SessionDesk, outbox: FaultyOutbox
    ) -> None:
        outbox.breaks = ConfigurationError("redis: not this way")
        trade(server, broker, 1)
        await until(lambda: desk.runner.state is LinkState.STOPPED, "the end")

    with pytest.raises(ConfigurationError):
        played(scenario)


def test_a_new_session_tells_the_day_again() -> None:
    """After a crash nothing is remembered: the walk tells every execution of the day, fees included."""

    async def play() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            trade(server, broker, 2)
            for _ in range(2):
                async with session_desk(broker_settings(server.port, **FAST)) as desk:
                    await desk.ready()
                    await until(lambda desk=desk: len(executions(desk)) == 2, "both executions")  # type: ignore[misc]

    run(play())
