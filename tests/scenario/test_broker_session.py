"""The broker session against the simulated gateway, over TCP: connect, walk, hear, sweep."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from gateway_client import gateway, run, until
from session_desk import Outcome, SessionDesk, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPENED_AT, OPTION, SmallBroker, hand_clock

from simulation.tws.server import GatewayServer
from trading.model.broker import BrokerEventKind, Verb

Scenario = Callable[[GatewayServer, SmallBroker, SessionDesk], Coroutine[Any, Any, None]]


def played(scenario: Scenario, **changes: Any) -> None:
    """Run a scenario with a ready session on a gateway whose clock stands at 10:00 in New York."""

    async def play() -> None:
        broker = SmallBroker()
        async with (
            gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server,
            session_desk(broker_settings(server.port, **changes)) as desk,
        ):
            await desk.ready()
            await scenario(server, broker, desk)

    run(play())


def test_a_connection_walks_everything_the_broker_tells_before_it_is_ready() -> None:
    """Orders, positions, executions, the clock and the accounts are answered, then the link is ready."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        assert desk.states() == ["connecting", "adopting", "ready"]
        kinds = [event.kind for event in desk.events]
        ready = max(place for place, kind in enumerate(kinds) if kind is BrokerEventKind.LINK)
        for question in (
            "open_orders",
            "completed_orders",
            "positions",
            "executions",
            "clock",
            "account_values",
        ):
            (answer,) = desk.answers(question)
            assert answer["accounts"] == [ACCOUNT]
            told = [event.payload.get("question") for event in desk.events[:ready]]
            assert question in told

    played(scenario)


def test_an_order_placed_on_command_is_heard_with_its_fill_and_fee() -> None:
    """PLACE is done when the broker has the order; execution and commission come as they were sent."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        result = await desk.do(Verb.PLACE, place("ref-1", OPTION.conid, ACCOUNT))
        assert result.outcome is Outcome.DONE, result
        server.clock.advance(timedelta(seconds=5))  # type: ignore[attr-defined]
        messages = await desk.told(BrokerEventKind.MESSAGE, 2)
        assert [payload["fields"][0] for payload in messages] == ["11", "59"]
        assert messages[0]["time_zone"] == "America/New_York"
        (order,) = await desk.told(BrokerEventKind.ORDER, 1, status="Filled")
        assert (order["order_ref"], order["filled"], order["instrument_id"]) == ("ref-1", "2", _option_id())

    played(scenario)


def test_a_sweep_tells_since_when_till_when_and_for_whom_it_is_complete() -> None:
    """From midnight in New York by the broker's clock to the moment of asking, for all accounts."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        result = await desk.do(Verb.SWEEP, {})
        assert (result.outcome, result.detail["rows"]) == (Outcome.DONE, 0)
        answer = desk.answers("executions")[-1]
        assert answer["from_at"] == "2026-11-13T05:00:00+00:00"
        assert answer["to_at"].startswith(OPENED_AT.isoformat()[:19])
        assert answer["accounts"] == [ACCOUNT]

    played(scenario)


def test_sweeps_come_by_themselves_and_tell_each_execution_once() -> None:
    """Executions and positions are asked for at their cadence; what was told is not told again."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        await desk.do(Verb.PLACE, place("ref-1", OPTION.conid, ACCOUNT))
        await until(lambda: len(desk.answers("executions")) >= 5, "five sweeps")
        await until(lambda: len(desk.answers("positions")) >= 5, "five answers about positions")
        told = [payload["fields"][0] for payload in desk.of(BrokerEventKind.MESSAGE)]
        assert told.count("11") == 1
        assert desk.answers("executions")[-1]["count"] == 1
        (row,) = desk.answers("positions")[-1]["rows"]
        assert (row["quantity"], row["conid"], row["instrument_id"]) == ("2", OPTION.conid, _option_id())

    played(scenario, sweep_every_s=0.3, positions_every_s=0.3)


def test_an_answer_around_the_brokers_midnight_covers_nothing() -> None:
    """Between question and answer the gateway may have forgotten its day: such a sweep is partial."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        midnight = OPENED_AT.replace(hour=5) + timedelta(days=1)
        server.clock.jump(midnight - timedelta(seconds=2))
        await desk.do(Verb.ASK, {"question": "clock"})
        result = await desk.do(Verb.SWEEP, {})
        assert result.detail["completeness"] in ("complete", "partial")
        assert "day ended" in desk.answers("executions", "partial")[-1]["reason"]

    played(scenario)


def test_the_last_look_at_a_day_is_just_before_midnight() -> None:
    """With an hour between sweeps, one comes half a minute of the broker's before its day ends."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        server.clock.jump(OPENED_AT.replace(hour=5) + timedelta(days=1) - timedelta(seconds=31))
        await desk.do(Verb.ASK, {"question": "clock"})
        before = len(desk.answers("executions"))
        await until(lambda: len(desk.answers("executions")) > before, "the sweep before midnight")

    played(scenario, sweep_every_s=3600, sweep_before_midnight_s=30)


def test_account_values_are_told_when_they_change() -> None:
    """The answer holds every figure; afterwards only those that changed are told."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        (answer,) = desk.answers("account_values")
        assert {row["name"] for row in answer["rows"]} == {"NetLiquidation", "AccountType"}
        told = await desk.told(BrokerEventKind.ACCOUNT_VALUE, 2)
        assert {(row["name"], row["value"]) for row in told} == {
            ("NetLiquidation", "246447.83"),
            ("AccountType", "INDIVIDUAL"),
        }
        answers = len(desk.answers("clock"))
        await until(lambda: len(desk.answers("clock")) > answers + 2, "two more cadences")
        assert len(desk.of(BrokerEventKind.ACCOUNT_VALUE)) == 2

    played(scenario, account_values_every_s=0.3, sweep_every_s=0.3)


def test_a_clock_that_jumps_is_alerted() -> None:
    """The broker's clock an hour ahead of what its pace says: a person is told, and by how much."""

    async def scenario(server: GatewayServer, broker: SmallBroker, desk: SessionDesk) -> None:
        server.clock.skew = timedelta(hours=1)  # type: ignore[attr-defined]
        await desk.do(Verb.ASK, {"question": "clock"})
        await desk.told(BrokerEventKind.ALERT, code="clock_skew")
        assert 3_590_000 < desk.answers("clock")[-1]["skew_ms"] < 3_610_000

    played(scenario)


def _option_id() -> str:
    return "OPT:SPY   261113C00670000"
