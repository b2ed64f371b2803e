"""Small promises of the gateway that nothing else would notice to be broken."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from gateway_client import RawClient, framed_text, gateway, library, run, until, written
from scripted_session import SPY_CONID, opening_clock, real_broker
from small_broker import ACCOUNT, SHARE, SmallBroker, hand_clock

from simulation.broker.model import Executed

ACCOUNTS = (ACCOUNT,)
IB = library()


SHARE_ASKED = IB.Contract(conId=SHARE.conid, exchange="SMART")
MARKET_ORDERS = {  # of one share, as the library writes them
    number: written(176, "placeOrder", number, SHARE_ASKED, IB.MarketOrder("BUY", 1))
    for number in (1, 41, 70)
}


def test_the_gateways_clock_is_wrong_by_its_skew_and_the_world_is_not() -> None:
    """A client that asks the time hears the wrong clock; executions carry the world's time."""

    async def scenario() -> None:
        clock = hand_clock()
        clock.skew = timedelta(seconds=-90)
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.send("49", "1")
            assert int((await raw.next())[2]) == int(clock.now().timestamp()) - 90
            raw.close()

    run(scenario())


def test_a_third_account_summary_is_refused() -> None:
    """Two run at a time; one that was cancelled makes room."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            for number in (1, 2):
                raw.send("62", "1", number, "All", "NetLiquidation")
                await raw.until(64)
            raw.send("62", "1", 3, "All", "NetLiquidation")
            assert (await raw.next())[2:4] == ["3", "322"]
            raw.send("63", "1", 1)
            raw.send("62", "1", 3, "All", "NetLiquidation")
            assert (await raw.until(64))[-1] == ["64", "1", "3"]
            raw.close()

    run(scenario())


def test_executions_held_for_reordering_do_not_wait_for_ever() -> None:
    """When no more come, those that were held go out, last first, after their patience."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.send(*MARKET_ORDERS[1])
            await raw.until(11)
            (execution, _), *_ = broker.told
            server.faults.execution_reorder = 100
            server.tell([Executed(execution=replace(execution, exec_id=f"a.b.0{n}.01")) for n in (1, 2)])
            assert server.state.teller.waiting == 3  # and the first one's commission
            clock.advance(timedelta(seconds=6))
            told = [(await raw.until(11))[-1][14], (await raw.until(11))[-1][14]]
            assert told == ["a.b.02.01", "a.b.01.01"]
            raw.close()

    run(scenario())


def test_completed_orders_of_the_api_only_leave_out_those_placed_by_hand() -> None:
    """The flag of the request decides."""

    async def scenario() -> None:
        broker, clock = real_broker(), opening_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            server.tell(broker.place_by_hand(ACCOUNT, SPY_CONID, "BUY", Decimal(1), clock.now()))
            clock.advance(timedelta(seconds=30))
            server.pump()
            for flag, count in (("0", 1), ("1", 0)):
                raw.send("99", flag)
                assert len(await raw.until(102)) - 1 == count
            raw.close()

    run(scenario())


def test_each_client_has_a_numbering_of_its_own() -> None:
    """After an order of client 9 its next number is higher, that of another client is not."""

    async def scenario() -> None:
        async with gateway(real_broker(), opening_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port, 9)
            raw.send(*MARKET_ORDERS[41])
            await raw.until(5)
            raw.close()
            await until(lambda: 9 not in server.state.clients.by_id, "client 9 to be gone")
            numbers = []
            for client_id in (8, 10, 9):
                other = await RawClient.open(server.port)
                other.write(b"API\0" + framed_text("v157..176"))
                await other.next()
                other.send("71", "2", client_id, "")
                numbers.append(int((await other.until(9))[-1][2]))
                other.close()
            raw = await RawClient.started(server.port, 11)
            raw.send(*MARKET_ORDERS[70])
            raw.send("8", "1", "1")
            assert int((await raw.until(9))[-1][2]) == 71
            assert max(numbers[:2]) < 41
            assert numbers[2] == 42
            raw.close()

    run(scenario())
