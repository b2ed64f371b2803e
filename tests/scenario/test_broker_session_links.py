"""What the session does when the connection, the gateway or the broker behind it fails."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psutil
import pytest
from gateway_client import LIBRARY_NAME, gateway, run, until
from session_desk import Outcome, SessionDesk, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPTION, SmallBroker, hand_clock

from simulation.broker.model import Ticket
from simulation.tws.server import GatewayServer
from trading.model.broker import BrokerEventKind, Verb
from trading.settings import BrokerSettings

FAST = {"reconnect_first_s": 0.05, "reconnect_max_s": 0.2, "connect_timeout_s": 30}
Scenario = Callable[[GatewayServer, SmallBroker, SessionDesk], Coroutine[Any, Any, None]]


def played(
    scenario: Scenario, *, before: Callable[[GatewayServer], None] | None = None, **changes: Any
) -> None:
    """Run a scenario with a session on a gateway; `before` sets the gateway's faults first."""

    async def play() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            if before is not None:
                before(server)
            async with session_desk(broker_settings(server.port, **{**FAST, **changes})) as desk:
                await scenario(server, broker, desk)

    run(play())


def bought(
    broker: SmallBroker, server: GatewayServer, order_ref: str = "by hand", order_id: int = 900
) -> Any:
    """An order that fills at once inside the broker; what it would tell."""
    ticket = Ticket(
        client_id=11,
        order_id=order_id,
        account=ACCOUNT,
        contract=OPTION,
        action="BUY",
        quantity=Decimal(1),
        order_type="MKT",
        order_ref=order_ref,
    )
    return broker.place(ticket, server.clock.now())


def executions(desk: SessionDesk) -> list[str]:
    """The execution ids that were told, in order."""
    told = desk.of(BrokerEventKind.MESSAGE)
    return [payload["fields"][14] for payload in told if payload["fields"][0] == "11"]


@pytest.mark.parametrize("mid_message", [False, True], ids=["between messages", "in a message"])
def test_a_cut_connection_is_made_again_and_walked(mid_message: bool) -> None:
    """What happened while nobody listened is told by the walk after the new connection, once."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.tell(bought(broker, server, "heard"))
        await until(lambda: len(executions(desk)) == 1, "the live execution")
        server.drop_links(mid_message=mid_message)
        bought(broker, server, "missed", 901)
        await desk.ready(2)
        assert desk.states() == ["connecting", "adopting", "ready", "lost", "connecting", "adopting", "ready"]
        assert len(executions(desk)) == len(set(executions(desk))) == 2

    played(scenario)


def test_a_half_open_connection_is_noticed_and_left() -> None:
    """Nothing comes and nothing fails: the time is asked, stays unanswered, and the session hangs up."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.faults.half_open = True
        await desk.told(BrokerEventKind.LINK, state="lost")
        assert "nothing heard" in desk.of(BrokerEventKind.LINK, state="lost")[0]["text"]
        server.faults.half_open = False
        await desk.ready(2)

    played(scenario, silence_after_s=0.3, request_timeout_s=60)


def test_a_quiet_connection_that_answers_is_kept() -> None:
    """Silence alone is no fault: the time is asked and answered, and the link stays."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        before = len(desk.answers("clock"))
        await until(lambda: len(desk.answers("clock")) >= before + 3, "the time, three times")
        assert desk.states()[-1] == "ready"

    played(scenario, silence_after_s=0.5, request_timeout_s=60)


def test_a_gateway_that_refuses_is_tried_until_it_lets_us_in() -> None:
    """No gateway at all is waited for, and no attempt leaves a socket open."""
    before = _sockets()

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await until(lambda: desk.states().count("connecting") >= 9, "nine attempts")
        await until(lambda: _sockets() <= before + 2 * 2, "each end of at most the last two attempts")
        server.faults.refuse_connections = False
        await desk.ready()

    def refuse(server: GatewayServer) -> None:
        server.faults.refuse_connections = True

    played(scenario, before=refuse)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "x" * 70, "127.0.0.1\0"])
def test_a_host_that_is_none_is_tried_and_told(host: str) -> None:
    """Whatever the attempt ends with, it ends as a lost link, and there is another one."""

    async def play() -> None:
        async with session_desk(broker_settings(1, host=host, **FAST)) as desk:
            await until(lambda: desk.states().count("connecting") >= 3, "three attempts")

    run(play())


def test_a_gateway_that_never_says_its_ids_is_given_up() -> None:
    """A socket that opens and a handshake that never ends: the connect time-out counts."""

    before = _sockets()

    async def play() -> None:
        silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        async with session_desk(broker_settings(port, **{**FAST, "connect_timeout_s": 0.2})) as desk:
            await until(lambda: desk.states().count("connecting") >= 3, "three attempts")
            await until(lambda: _sockets() <= before + 2 * 2, "each end of at most the last two attempts")
        silent.close()

    run(play())


def test_a_client_id_in_use_is_refused_alerted_and_tried_again() -> None:
    """Code 326: the state is refused, a person is told, and once the other is gone the session is in."""

    async def play() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server:
            settings: BrokerSettings = broker_settings(server.port, **FAST)
            async with session_desk(settings) as first:
                await first.ready()
                async with session_desk(settings) as second:
                    await second.told(BrokerEventKind.LINK, state="refused")
                    assert second.of(BrokerEventKind.ALERT, code="code_326")
                    assert first.states()[-1] == "ready"
                    first.stop.set()
                    await second.ready()

    run(play())


def test_the_nightly_restart_of_the_gateway_is_survived() -> None:
    """The gateway goes away for a while and comes back on the same port."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        await server.restart(0.2)
        await desk.ready(2)

    played(scenario)


@pytest.mark.parametrize("data_lost", [True, False], ids=["1101", "1102"])
def test_a_gateway_that_lost_its_broker_is_walked_when_it_is_back(data_lost: bool) -> None:
    """1100 makes the link lost while the socket stays; what is back is walked before it is ready."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.lose_broker()
        await desk.told(BrokerEventKind.LINK, state="lost", code=1100)
        result = await desk.do(Verb.PLACE, place("late", OPTION.conid, ACCOUNT))
        assert result.outcome is Outcome.REFUSED and "link is lost" in result.reason
        bought(broker, server, "missed")
        server.find_broker(data_lost=data_lost)
        await desk.ready(2)
        assert len(executions(desk)) == 1
        assert desk.states() == ["connecting", "adopting", "ready", "lost", "adopting", "ready"]

    played(scenario)


def test_a_port_reset_makes_a_new_connection() -> None:
    """Code 1300: the gateway listens elsewhere or anew; the session connects again."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.move_port()
        await desk.ready(2)
        assert desk.of(BrokerEventKind.ALERT, code="code_1300")

    played(scenario)


def test_a_farm_that_is_down_degrades_the_data_until_it_is_up() -> None:
    """Two farms down and one up is still degraded; both up is ready."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.notify(2103, "Market data farm connection is broken:usfarm")
        server.notify(2105, "HMDS data farm connection is broken:ushmds")
        server.notify(2104, "Market data farm connection is OK:usfarm")
        await desk.told(BrokerEventKind.LINK, code=2104, state="data_degraded")
        server.notify(2106, "HMDS data farm connection is OK:ushmds")
        await desk.ready(2)
        assert desk.states()[2:] == ["ready", "data_degraded", "ready"]

    played(scenario)


def test_another_session_with_the_data_degrades_and_alerts() -> None:
    """Code 10197: orders and fills go on, the data do not."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.notify(10197, "No market data during competing live session")
        await desk.told(BrokerEventKind.LINK, code=10197, state="data_degraded")
        assert desk.of(BrokerEventKind.ALERT, code="code_10197")
        result = await desk.do(Verb.PLACE, place("goes on", OPTION.conid, ACCOUNT))
        assert result.outcome is Outcome.DONE, result

    played(scenario)


@pytest.mark.parametrize(
    ("switch", "question", "completeness"),
    [
        ("omit_executions_end", "executions", "failed"),
        ("omit_open_orders_end", "open_orders", "failed"),
        ("omit_completed_orders_end", "completed_orders", "failed"),
        ("omit_positions_end", "positions", "failed"),
    ],
)
def test_an_answer_without_its_end_costs_no_session(switch: str, question: str, completeness: str) -> None:
    """The link gets ready all the same, orders are refused until it is told completely, and then not."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        assert desk.answers(question, completeness) and not desk.answers(question)
        result = await desk.do(Verb.PLACE, place("early", OPTION.conid, ACCOUNT))
        if question == "positions":
            assert result.outcome is Outcome.DONE
        else:
            assert result.outcome is Outcome.REFUSED and question in result.reason
        setattr(server.faults, switch, False)
        await until(lambda: bool(desk.answers(question)), "a complete answer")
        result = await desk.do(Verb.PLACE, place("then", OPTION.conid, ACCOUNT))
        assert result.outcome is Outcome.DONE, result

    def omit(server: GatewayServer) -> None:
        setattr(server.faults, switch, True)

    played(scenario, before=omit, request_timeout_s=1, sweep_every_s=0.5, positions_every_s=0.5)


@pytest.mark.parametrize("how", ["chunk_bytes", "hold_writes_s"])
def test_how_bytes_are_cut_changes_nothing(how: str) -> None:
    """One byte at a time and everything in one segment are heard alike."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.tell(bought(broker, server))
        await until(lambda: len(executions(desk)) == 1, "the execution")

    def cut(server: GatewayServer) -> None:
        setattr(server.faults, how, 1 if how == "chunk_bytes" else 0.1)

    played(scenario, before=cut)


def test_a_jump_of_the_next_id_is_followed() -> None:
    """An order after the jump has a number the gateway accepts."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        result = await desk.do(Verb.PLACE, place("after the jump", OPTION.conid, ACCOUNT))
        assert result.outcome is Outcome.DONE, result
        assert result.detail["order_id"] > 5_000

    def jump(server: GatewayServer) -> None:
        server.faults.next_id_jump = 5_000

    played(scenario, before=jump)


def test_an_unknown_message_is_an_alert_and_no_end() -> None:
    """A message id that nobody knows is told to a person; the session goes on."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.send_raw(["999", "1", "what is this"])
        await desk.told(BrokerEventKind.ALERT, code="undecodable_999")
        server.tell(bought(broker, server))
        await until(lambda: len(executions(desk)) == 1, "the execution")

    played(scenario)


def test_an_unknown_code_is_an_alert() -> None:
    """A code without a line in the table is told to a person."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.notify(98_765, "something new")
        await desk.told(BrokerEventKind.ALERT, code="code_98765")
        assert desk.states()[-1] == "ready"

    played(scenario)


@pytest.mark.parametrize(
    "fault", [{"execution_zone": "EDT"}, {"execution_extra_fields": 1}, {"execution_extra_fields": -1}]
)
def test_an_execution_that_the_library_cannot_read_is_heard_all_the_same(fault: dict[str, int | str]) -> None:
    """A zone it does not know, a field too many or too few: an alert, and the execution as text."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        for name, value in fault.items():
            setattr(server.faults, name, value)
        server.tell(bought(broker, server))
        await until(lambda: len(executions(desk)) == 1, "the execution")
        if LIBRARY_NAME == "ib_insync" or fault.get("execution_extra_fields") != 1:
            await desk.told(BrokerEventKind.ALERT, code="undecodable_11")

    played(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        {"execution_copies": 3},
        {"execution_copies": 0},
        {"execution_reorder": 4},
        {"execution_delay": timedelta(seconds=30)},
        {"commission_first": True},
        {"commission_copies": 3},
        {"commission_delay": timedelta(minutes=3)},
    ],
    ids=lambda fault: next(iter(fault)) + str(next(iter(fault.values()))),
)
def test_however_fills_and_fees_are_told_each_is_heard_once(fault: dict[str, Any]) -> None:
    """Repeated, hidden, out of order, late, the fee before its fill: after a sweep all are there, once."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        for name, value in fault.items():
            setattr(server.faults, name, value)
        for number in range(4):
            server.tell(bought(broker, server, f"r{number}", 900 + number))
        server.clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
        server.pump()
        assert (await desk.do(Verb.SWEEP, {})).outcome is Outcome.DONE
        told = [payload["fields"] for payload in desk.of(BrokerEventKind.MESSAGE)]
        fees = [fields[2] for fields in told if fields[0] == "59"]
        assert sorted(executions(desk)) == sorted(fees) == sorted(item.exec_id for item, _ in broker.told)

    played(scenario)


def test_too_many_messages_make_the_queue_rest() -> None:
    """Code 100 is told to a person and does not end the session."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.ready()
        server.notify(100, "Max rate of messages per second has been exceeded")
        await desk.told(BrokerEventKind.ALERT, code="code_100")
        result = await desk.do(Verb.SWEEP, {})
        assert result.outcome is Outcome.DONE

    played(scenario)


def _sockets() -> int:
    """Connections that this process has, those of tests before this one included."""
    return sum(item.status == "ESTABLISHED" for item in psutil.Process().net_connections("tcp"))
