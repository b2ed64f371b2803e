"""The five ways in which the client library's own books break idempotency, each against ours.

Both hear the same messages. Ours is what the tap hands on, read by our normalizer and held by our keys; the
library's is what its `IB` object says. In each test ours is the truth and the library's is not, so that
putting its books in place of our keys fails here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any

from gateway_client import library
from session_desk import broker_settings

from adapters.clock import SystemClock
from adapters.ibkr.executions import executions_from_messages
from adapters.ibkr.message_lines import MessageLine
from adapters.ibkr.session.client_library import new_client
from adapters.ibkr.session.listener import Listener
from adapters.ibkr.session.session import BrokerSession
from adapters.ibkr.session.tap import tap
from adapters.memory.fill_store import MemoryFillStore
from trading.model.broker import BrokerEventKind
from trading.model.fills import Fill, FillBatch, Venue

SERVER_VERSION = 176
UNSET = "1.7976931348623157E308"
FIRST = "0000e0d5.67fe667b.01.01"
CORRECTED = "0000e0d5.67fe667b.01.02"
ACCOUNT, PERM_ID, ORDER_ID = "DU1234567", "600745656", "5"

SESSION = date(2026, 11, 13)

Message = list[str]


def execution(exec_id: str = FIRST, shares: str = "4", price: str = "1.25", request: str = "-1") -> Message:
    """One execution of an option, 31 fields."""
    return [
        "11", request, ORDER_ID, "810000001", "SPY", "OPT", "20261113", "670", "C", "100", "CBOE", "USD",
        "SPY   261113C00670000", "SPY", exec_id, "20261113 10:00:00 US/Eastern", ACCOUNT, "CBOE", "BOT",
        shares, price, PERM_ID, "11", "0", shares, price, "ref-1", "", "", "", "2",
    ]  # fmt: skip


def commission(exec_id: str = FIRST, realized: str = UNSET) -> Message:
    """The report of one execution, 8 fields."""
    return ["59", "1", exec_id, "2.6", "USD", realized, UNSET, ""]


def ours(messages: Sequence[Message]) -> tuple[FillBatch, Sequence[Fill]]:
    """What our tap and normalizer tell, and the fills that stand by our keys."""
    session = BrokerSession(broker_settings(), SystemClock(), Random(7))
    client = new_client(Listener(session, "America/New_York", lambda: None))
    client.decoder.serverVersion = SERVER_VERSION
    tap(client.decoder, session)
    for message in messages:
        client.decoder.interpret(list(message))
    kinds = {event.kind for event in session.outputs.events}
    assert kinds <= {BrokerEventKind.MESSAGE}, "the library read them, too"
    told = [event.payload["fields"] for event in session.outputs.events]
    batch = executions_from_messages([MessageLine(fields, "") for fields in told], "tap")
    assert not batch.rejected
    store = MemoryFillStore()
    store.record(batch, SystemClock().now())
    return batch, store.fills(Venue.IBKR, ACCOUNT, [SESSION])


def theirs(messages: Sequence[Message], then: Callable[[Any], Any]) -> Any:
    """What the library's own books say after the same messages; its order is known to it."""

    async def hear() -> Any:
        ib = library().IB()
        ib.TimezoneTWS = "America/New_York"
        ib.client.decoder.serverVersion = SERVER_VERSION
        contract = library().Contract(conId=810000001, symbol="SPY", secType="OPT")
        order = library().Order(orderId=int(ORDER_ID), clientId=11, permId=int(PERM_ID), totalQuantity=4)
        trade = library().Trade(contract, order, library().OrderStatus(orderId=5), [], [])
        ib.wrapper.clientId = 11
        ib.wrapper.trades[(11, 5)] = ib.wrapper.permId2Trade[int(PERM_ID)] = trade
        heard = SimpleNamespace(ib=ib, trade=trade, fill_events=[], fee_events=[])
        ib.execDetailsEvent += lambda *told: heard.fill_events.append(told)
        ib.commissionReportEvent += lambda *told: heard.fee_events.append(told)
        for message in messages:
            if message[0] == "11" and message[1] != "-1":
                ib.wrapper.startReq(int(message[1]))
            ib.client.decoder.interpret(list(message))
        return then(heard)

    logging.getLogger(library().__name__).setLevel(logging.CRITICAL)
    return asyncio.run(hear())


def test_a_correction_replaces_and_the_library_doubles_it() -> None:
    """The fourth way: 4 bought, corrected to 2; the library's order has filled 6 of 4."""
    messages = [execution(shares="4"), execution(CORRECTED, shares="2")]
    _, (fill,) = ours(messages)
    assert fill.revision.quantity == Decimal(2)
    assert theirs(messages, lambda heard: heard.trade.filled()) == 6
    assert len(theirs(messages, lambda heard: heard.ib.fills())) == 2


def test_changed_content_under_the_same_id_is_heard_and_the_library_keeps_silent() -> None:
    """The fifth way: the same execution comes with another price; the library neither says nor keeps it."""
    messages = [execution(price="1.25"), execution(price="1.35")]
    batch, fills = ours(messages)
    assert [told.price for told in batch.fills] == [Decimal("1.25"), Decimal("1.35")]
    assert len(fills) == 1
    assert len(theirs(messages, lambda heard: heard.fill_events)) == 1
    assert theirs(messages, lambda heard: heard.ib.fills()[0].execution.price) == 1.25


def test_executions_read_after_a_connection_are_heard_and_the_library_raises_no_event() -> None:
    """The sixth way: what happened while nobody listened comes as an answer; the library fires for none."""
    messages = [execution(request="7"), commission()]
    _, (fill,) = ours(messages)
    assert (fill.revision.quantity, fill.fee) == (Decimal(4), Decimal("2.6"))
    assert theirs(messages, lambda heard: heard.fill_events) == []


def test_an_early_commission_is_kept_and_the_library_drops_it() -> None:
    """The seventh way: the report before its execution; the library's fill never has a fee."""
    messages = [commission(), execution()]
    _, (fill,) = ours(messages)
    assert fill.fee == Decimal("2.6")
    assert theirs(messages, lambda heard: heard.ib.fills()[0].commissionReport.commission) == 0.0
    assert theirs(messages, lambda heard: heard.fee_events) == []


def test_an_unset_profit_is_unknown_and_the_library_says_zero() -> None:
    """The eighth way: an opening fill and one that closed flat look alike in the library's books."""
    opening, flat = [execution(), commission(realized=UNSET)], [execution(), commission(realized="0")]
    kept = [ours(messages)[0].commissions[0].raw for messages in (opening, flat)]
    assert ["realizedPNL" in raw for raw in kept] == [False, True]
    said = [
        theirs(messages, lambda heard: heard.ib.fills()[0].commissionReport.realizedPNL)
        for messages in (opening, flat)
    ]
    assert said == [0.0, 0.0]
