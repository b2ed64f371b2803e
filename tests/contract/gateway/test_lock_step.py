"""A clock that is stepped: the answer comes when all is told, and two runs are the same, byte for byte."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from scripted_session import SPY_CONID
from small_recording import CALL, DAY, EARLY, OPENS_MS, moment, options, share, small_recording, ticks
from stepped_client import Stepped, stepped

from simulation.gateway import GatewayPlan
from simulation.tws.options import GatewayOptions

OPTIONS = GatewayOptions(market_data_lines=3_000, messages_per_second=100_000)
DRAWN = GatewayPlan(session=EARLY.replace(year=2026), sessions=1, speed=None, orders=5, options=OPTIONS)
GOOG = [0, "GOOG", "STK", "", "0", "", "", "SMART", "", "USD", "", ""]
GOOG_CALL = [0, "GOOG", "OPT", "20160115", "750", "C", "100", "SMART", "", "USD", "", ""]
SPY = [SPY_CONID, "SPY", "STK", "", "0", "", "", "SMART", "", "USD", "", ""]


def recorded(folder: Path, **more: object) -> GatewayPlan:
    """A gateway on a small recording."""
    return GatewayPlan(data=folder, session=EARLY, speed=None, options=OPTIONS, **more)  # type: ignore[arg-type]


async def _everything_of(client: Stepped, contract: list[object]) -> None:
    """Level 1, a book, trades and quotes one by one, bars of five seconds."""
    client.keeps_all = True
    client.subscribe(1, contract, "233")
    client.raw.send("10", "5", 2, *contract, "5", "1", "")
    client.raw.send("97", 3, *contract, "AllLast", "0", "0")
    client.raw.send("97", 4, *contract, "BidAsk", "0", "0")
    client.raw.send("50", "3", 5, *contract, "5", "TRADES", "0", "")
    await client.barrier()


def _heard(plan: GatewayPlan, contract: list[object]) -> list[list[str]]:
    """All messages of ten minutes around the opening, in order."""

    async def scenario() -> list[list[str]]:
        async with stepped(plan) as client:
            await _everything_of(client, contract)
            await client.step(300, each=5)
            await client.step(300, each=1)
            return client.messages

    return asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["drawn", "recorded"])
def test_two_runs_in_lock_step_are_the_same_byte_for_byte(kind: str, tmp_path: Path) -> None:
    """One seed, or one folder: every message and their order, of every kind of market data."""
    plan, contract = (DRAWN, SPY) if kind == "drawn" else (recorded(small_recording(tmp_path)), GOOG)
    first = _heard(plan, contract)
    assert first == _heard(plan, contract)
    assert {message[0] for message in first} >= {"1", "2", "13", "46", "50", "99"}


def test_what_a_step_told_is_before_the_answer_to_the_next_question(tmp_path: Path) -> None:
    """Two megabytes of trades in one step: the time of after the step is heard behind the last of them."""
    folder = small_recording(tmp_path)
    rows = "".join(f"{OPENS_MS + n * 60_000},10000,12000,9000,11000,40\n" for n in range(200))
    options(folder, EARLY, "trade", {CALL: rows})
    share(
        folder,
        EARLY,
        "trade",
        rows.replace("10000,12000", "7480000,7480000").replace("9000,11000", "7480000,7480000"),
    )

    async def scenario() -> None:
        async with stepped(recorded(folder)) as client:
            for place in range(1, 40):
                client.subscribe(place, GOOG_CALL, "233")
            await client.barrier()
            await client.step(60 + 12_600)
            assert {len(line.trades) for line in client.lines.values()} == {800}
            assert client.gateway.clock.now() == moment(EARLY, 46_800_000)

    asyncio.run(scenario())


def test_a_step_of_a_clock_that_runs_or_of_no_seconds_is_refused(tmp_path: Path) -> None:
    """Said by the control port; the world does not move."""
    folder = small_recording(tmp_path)

    async def scenario() -> None:
        async with stepped(recorded(folder)) as client:
            before = client.gateway.clock.now()
            for wrong in (0, -1, "60", True, None, 1e12):
                assert not (await client.ask({"step": wrong}))["ok"], wrong
            assert not (await client.ask({"step": 60, "each": 0}))["ok"]
            assert not (await client.ask({"step": 60, "by": 1}))["ok"]
            assert client.gateway.clock.now() == before
            assert (await client.ask({"step": 1.5}))["ok"]
            assert client.gateway.clock.now() == before + timedelta(seconds=1.5)
            client.gateway.clock.set_speed(1.0)
            refused = await client.ask({"step": 1})
            assert not refused["ok"] and "was one of speed 1.0" in refused["error"]

    asyncio.run(scenario())


def test_a_broker_trades_in_the_recorded_market(tmp_path: Path) -> None:
    """A market order takes the recorded ask and no more than its size in a second; the statement has it."""
    folder = small_recording(tmp_path)

    async def scenario() -> None:
        async with stepped(recorded(folder, accounts=1)) as client:
            gateway = client.gateway
            (account,) = gateway.broker.ledgers
            call = next(each for each in gateway.world.listings.by_conid.values() if each.right == "C")
            await client.step(60 + 50)
            gateway.broker.place_by_hand(account, call.conid, "BUY", 10, gateway.clock.now())  # type: ignore[arg-type]
            await client.step(5)
            executions = [execution for execution, _ in gateway.broker.executions(gateway.clock.now())]
            assert {str(each.price) for each in executions} == {"1.4"}
            assert sum(each.quantity for each in executions) == 10
            assert sum(each.quantity for each in executions if each.at == executions[0].at) == 7
            (position,) = gateway.broker.positions()
            assert position.quantity == 10
            statement = gateway.broker.statement(account, EARLY)
            assert 'symbol="GOOG  160115C00750000"' in statement

    asyncio.run(scenario())


def test_a_line_may_be_asked_for_again_and_again(tmp_path: Path) -> None:
    """Cancelled and asked anew under the same number it is told whole again, and each change only once."""
    folder = small_recording(tmp_path)

    async def scenario() -> None:
        async with stepped(recorded(folder)) as client:
            client.keeps_all = True
            for _ in range(3):
                client.subscribe(1, GOOG_CALL, "")
                client.raw.send("2", "2", 1)
            client.subscribe(1, GOOG_CALL, "")
            await client.barrier()
            asked = [message for message in client.messages if message[0] == "81"]
            assert len(asked) == 4
            client.messages.clear()
            await client.step(61)
            bids = [message for message in client.messages if message[0] == "1" and message[3] == "1"]
            assert [message[4] for message in bids] == ["1.0"]

    asyncio.run(scenario())


def test_ticks_of_one_step_are_told_in_the_markets_order(tmp_path: Path) -> None:
    """Every change of the touch and every trade between them, however long the step; quotes before trades."""
    bids = "".join(f"{OPENS_MS + n * 10},{100_000 + n},100,0,0,P,1,0\n" for n in range(3_000))
    ticks(tmp_path, DAY, "quote", f"{bids}{OPENS_MS},0,0,200000,100,P,1,0\n")
    prints = "".join(f"{OPENS_MS + n * 100},{100_000 + n * 10},7,P,0,0\n" for n in range(300))
    ticks(tmp_path, DAY, "trade", prints)
    ibm = [0, "IBM", "STK", "", "0", "", "", "SMART", "", "USD", "", ""]

    async def scenario() -> None:
        async with stepped(GatewayPlan(data=tmp_path, session=DAY, speed=None, options=OPTIONS)) as client:
            client.keeps_all = True
            client.raw.send("97", 3, *ibm, "AllLast", "0", "0")
            client.raw.send("97", 4, *ibm, "BidAsk", "0", "0")
            await client.step(120)
            told = [message for message in client.messages if message[0] == "99"]
            assert len([each for each in told if each[2] == "3"]) == 3_000
            assert len([each for each in told if each[2] == "2"]) == 300
            bid = "none yet"
            for message in told:
                if message[2] == "3":
                    bid = message[4]
                else:
                    assert message[4] == bid

    asyncio.run(scenario())
