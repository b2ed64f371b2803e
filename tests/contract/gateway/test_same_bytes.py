"""The same seed and the same moments give the same bytes; how often is looked changes no fill."""

import asyncio
from datetime import timedelta

import pytest
from gateway_client import RawClient, gateway, library, written
from scripted_session import ACCOUNT, SPY_CONID, opening_clock, real_broker

from simulation.broker.questions import ContractQuery

IB = library()
SECONDS = 60


def messages_of(step_s: int, seed: int) -> list[list[str]]:
    """All that a client hears of one minute with quotes, a book and a large order, looked at in steps."""
    broker, clock = real_broker(seed), opening_clock()
    (strike,) = [each for each in broker.chains("SPY")[0].strikes if each > 672][:1]
    (record,) = broker.contracts(
        ContractQuery(symbol="SPY", sec_type="OPT", expiry="20261113", strike=strike, right="C")
    )
    share = IB.Contract(conId=SPY_CONID, symbol="SPY", secType="STK", exchange="SMART", currency="USD")
    option = IB.Contract(conId=record.contract.conid, symbol="SPY", secType="OPT", exchange="SMART")
    ask = broker.quote(record.contract.conid, clock.now()).ask
    asked = [
        written(176, "reqMktData", 1, option, "101", False, False, []),
        written(176, "reqMktDepth", 2, share, 5, True, []),
        written(176, "reqAccountUpdates", True, ACCOUNT),
        written(176, "placeOrder", 1, option, IB.LimitOrder("BUY", 60, float(ask or 0))),
    ]

    async def scenario() -> list[list[str]]:
        async with gateway(broker, clock, accounts=[ACCOUNT], pump_s=3_600) as server:
            raw = await RawClient.started(server.port)
            for texts in asked:
                raw.send(*texts)
            raw.send("49", "1")
            heard = await raw.until(49)
            for _ in range(SECONDS // step_s):
                clock.advance(timedelta(seconds=step_s))
                server.pump()
            raw.send("49", "1")
            heard += await raw.until(49)
            raw.close()
            return heard

    return asyncio.run(scenario())


def test_two_runs_of_one_seed_are_byte_for_byte_the_same() -> None:
    """Ticks, greeks, books, orders, executions, account: not one text differs; another seed does."""
    first = messages_of(1, 7)
    assert first == messages_of(1, 7)
    assert {message[0] for message in first} >= {"1", "2", "3", "5", "6", "11", "13", "21", "59"}
    assert first != messages_of(1, 8)


@pytest.mark.parametrize("step_s", [5, 60])
def test_orders_and_executions_do_not_depend_on_how_often_is_looked(step_s: int) -> None:
    """Quotes are sampled, so they do; what is traded is the same at every speed of the clock."""
    kinds = ("3", "5", "11", "59")
    often = [message for message in messages_of(1, 7) if message[0] in kinds]
    seldom = [message for message in messages_of(step_s, 7) if message[0] in kinds]
    assert often == seldom
