"""The broker session against the simulated gateway, over TCP: connect, adopt, hear, obey."""

from datetime import timedelta

from gateway_client import gateway, run
from session_desk import Outcome, broker_settings, place, session_desk
from small_broker import ACCOUNT, OPTION, SHARE, SmallBroker, hand_clock

from trading.model.broker import BrokerEventKind, Verb


def test_a_connection_walks_everything_the_broker_tells_before_it_is_ready() -> None:
    """Open orders, completed orders, positions, executions and the clock are answered, then the link is ready."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server:
            async with session_desk(broker_settings(server.port)) as desk:
                await desk.ready()
                assert desk.states() == ["connecting", "adopting", "ready"]
                for question in ("open_orders", "completed_orders", "positions", "executions", "clock"):
                    assert len(desk.answers(question)) == 1, question

    run(scenario())


def test_an_order_placed_on_command_is_heard_with_its_fill_and_fee() -> None:
    """PLACE is done when the broker has the order; execution and commission come as they were sent."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=(ACCOUNT,)) as server:
            async with session_desk(broker_settings(server.port)) as desk:
                await desk.ready()
                result = await desk.do(Verb.PLACE, place("ref-1", OPTION.conid, ACCOUNT))
                assert result.outcome is Outcome.DONE, result
                clock.advance(timedelta(seconds=5))
                messages = await desk.told(BrokerEventKind.MESSAGE, 2)
                assert [payload["fields"][0] for payload in messages] == ["11", "59"]
                orders = await desk.told(BrokerEventKind.ORDER, 1, status="Filled")
                assert orders[-1]["order_ref"] == "ref-1"

    run(scenario())


def test_an_order_for_a_share_is_refused_by_type_by_name_and_by_the_broker() -> None:
    """A share is data: neither its type nor its name passes, nor a share's number under an option's type."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server:
            async with session_desk(broker_settings(server.port)) as desk:
                await desk.ready()
                for number, changes in enumerate(
                    ({"sec_type": "STK"}, {"instrument_id": "STK:756733"}, {"conid": SHARE.conid})
                ):
                    result = await desk.do(Verb.PLACE, place(f"s{number}", OPTION.conid, ACCOUNT) | changes)
                    assert result.outcome is Outcome.REFUSED, changes
                assert not desk.of(BrokerEventKind.ORDER)

    run(scenario())
