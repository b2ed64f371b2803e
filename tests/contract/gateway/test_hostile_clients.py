"""Bytes that no honest client sends: they end at most the connection they came on.

The messages are the library's own, bent at random from a seed: texts exchanged, left out, put in, cut off.
Behind the gateway is the real simulated broker, so what is half sensible gets all the way in.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from gateway_client import RawClient, connected, framed_text, gateway, library, run, written
from scripted_session import ACCOUNT, SPY_CONID, opening_clock, real_broker

from simulation.tws.framing import framed
from simulation.tws.requests import READERS

MESSAGES = 300
IB = library()
SHARE = IB.Contract(conId=SPY_CONID, symbol="SPY", secType="STK", exchange="SMART", currency="USD")
BAG = IB.Bag(
    symbol="SPY",
    exchange="SMART",
    currency="USD",
    comboLegs=[IB.ComboLeg(conId=SPY_CONID, ratio=1, action="BUY", exchange="SMART")],
)
REQUESTS = [
    ("placeOrder", 1, SHARE, IB.MarketOrder("BUY", 1)),
    ("placeOrder", 2, SHARE, IB.LimitOrder("SELL", 5, 600.0)),
    ("placeOrder", 3, SHARE, IB.Order(action="BUY", orderType="TRAIL", totalQuantity=1, auxPrice=0.5)),
    ("placeOrder", 4, BAG, IB.LimitOrder("BUY", 1, 1.0)),
    ("cancelOrder", 1),
    ("reqMktData", 5, SHARE, "101,233", False, False, []),
    ("reqMktDepth", 6, SHARE, 5, True, []),
    ("reqHistoricalData", 7, SHARE, "", "1 D", "1 hour", "TRADES", 1, 1, True, []),
    ("reqHistoricalTicks", 8, SHARE, "20261113 09:31:00", "", 10, "TRADES", 1, False, []),
    ("reqTickByTickData", 9, SHARE, "Last", 0, False),
    ("reqRealTimeBars", 10, SHARE, 5, "TRADES", 0, []),
    ("reqExecutions", 11, IB.ExecutionFilter()),
    ("reqAccountSummary", 12, "All", "NetLiquidation"),
    ("reqPnLSingle", 13, ACCOUNT, "", SPY_CONID),
    ("reqSecDefOptParams", 14, "SPY", "", "STK", SPY_CONID),
    ("reqContractDetails", 15, SHARE),
    ("reqAccountUpdates", True, ""),
    ("reqMatchingSymbols", 16, "S"),
    ("calculateOptionPrice", 17, SHARE, 0.1, 600.0, []),
]
WORDS = ["", "0", "1", "-1", "2147483647", "9" * 28, "1e999", "nan", "inf", "BUY", "\x1f", "é", "-5", "0.5"]
WORDS += ["20261113 25:00:00", "1 D", ACCOUNT, "MKT", "1.5E10", "-0", "SPY", str(SPY_CONID), "x" * 5_000]


def bent_messages(seed: int) -> Iterator[bytes]:
    """Messages of a client that means ill, or whose memory is broken."""
    rng = Random(seed)
    honest = [written(176, *request) for request in REQUESTS]
    for _ in range(MESSAGES):
        draw = rng.random()
        if draw < 0.80:
            yield framed(_bent(list(rng.choice(honest)), rng))
        elif draw < 0.95:
            yield framed([str(rng.choice(list(READERS))), *rng.choices(WORDS, k=rng.randrange(20))])
        else:
            yield rng.randbytes(rng.randrange(1, 40))


def _bent(texts: list[str], rng: Random) -> list[str]:
    for _ in range(rng.randrange(4)):
        place = rng.randrange(len(texts))
        match rng.randrange(5):
            case 0 if len(texts) > 1:
                del texts[place]
            case 1:
                texts.insert(place, rng.choice(WORDS))
            case _:
                texts[place] = rng.choice(WORDS)
    return texts


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_bytes_never_take_the_gateway_down(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """After hundreds of bent messages the gateway stands, no handler failed, and others are served."""
    messages = list(bent_messages(seed))

    async def scenario() -> None:
        clock = opening_clock()
        options = {"messages_per_second": 100_000, "pump_s": 3_600}
        async with gateway(real_broker(), clock, accounts=[ACCOUNT], **options) as server:
            honest = await connected(server.port, 1)
            hostile = await RawClient.started(server.port, 2)
            for number, data in enumerate(messages):
                hostile.write(data)
                if number % 20 == 0:
                    clock.advance(timedelta(seconds=1))
                    server.pump()
                    assert await honest.reqCurrentTimeAsync() == clock.now()
                if server.state.clients.by_id.get(2) is None:
                    hostile.close()
                    hostile = await RawClient.started(server.port, 2)
            hostile.close()
            honest.disconnect()

    with caplog.at_level(logging.ERROR, logger="simulation"):
        run(scenario())
    assert [record.getMessage() for record in caplog.records if record.name.startswith("simulation")] == []


@pytest.mark.parametrize("length", [0, 2**31, 2**20 + 1])
def test_a_length_that_no_message_has_ends_the_connection(length: int) -> None:
    """Nothing is kept in memory for a message that is announced but too long."""

    async def scenario() -> None:
        async with gateway(real_broker(), opening_clock(), accounts=[ACCOUNT]) as server:
            raw = await RawClient.started(server.port, 2)
            raw.write(length.to_bytes(4, "big") + b"x" * 100)
            assert await raw.next() == []

    run(scenario())


def test_requests_before_the_start_are_not_answered() -> None:
    """A client that has not said who it is gets nothing, and may still start."""

    async def scenario() -> None:
        async with gateway(real_broker(), opening_clock(), accounts=[ACCOUNT]) as server:
            raw = await RawClient.open(server.port)
            raw.write(b"API\0" + framed_text("v157..176"))
            await raw.next()
            raw.send("49", "1")
            raw.send("71", "2", 3, "")
            assert (await raw.next())[0] == "15"
            raw.close()

    run(scenario())
