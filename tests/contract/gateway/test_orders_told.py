"""Orders, executions and commissions as the library hears them: in order, late, twice, not at all."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from gateway_client import LIBRARY_NAME, RawClient, connected, gateway, library, run, until
from scripted_session import SPY_CONID, opening_clock, real_broker
from small_broker import ACCOUNT, OPTION, SHARE, SmallBroker, hand_clock

from simulation.broker.model import Commissioned, Executed
from simulation.tws.replies.executions import TimeForm
from simulation.tws.versions import SUPPORTED

ACCOUNTS = (ACCOUNT,)
IB = library()
LATER = timedelta(seconds=2)


def share() -> Any:
    return IB.Contract(conId=SHARE.conid, exchange="SMART")


def bare_order(**values: str) -> list[str]:
    """A market order of one SPY share at version 176, by position as the client's source lays it out."""
    head = ["3", values.get("order_id", "1"), str(SHARE.conid), "SPY", "STK", "", "0.0", "", "", "SMART", ""]
    head += ["USD", "", "", "", "", "BUY", "100", "MKT", "", "", "", "", "", "", "0", "", "1", "0", "0", "0"]
    head += ["0", "0", "0", "0", "", "0.0", "", "", "", "", "", "", "", "0", "", "-1", "0", "", "", "0", ""]
    head += ["", "0", "0", "", "0", "", "", "", "", "", "0", "", "", "", "", "0", "", "", "", "", "", ""]
    head += ["", "", "", "", "0", "", "", "0", "0", "", "", values.get("what_if", "0"), "", "0", "0", "0"]
    head += ["0", "", "", "", "", "", "", "0", "", "", "", "", "", "", "", "", "0", "0", "0", "0"]
    return [*head, "", "", "0", "", ""]


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_replies_to_a_market_order_come_in_the_recorded_order(version: int) -> None:
    """Open order and PreSubmitted, execution, open order and Filled, open order with commission, report."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS, server_version=version) as server:
            ib = await connected(server.port)
            messages: list[tuple[str, str]] = []
            interpret = ib.client.decoder.interpret

            def note(fields: list[str]) -> None:
                if fields[0] in ("5", "3", "11", "59"):
                    status = next((each for each in fields if each in ("PreSubmitted", "Filled")), "")
                    messages.append((fields[0], status))
                interpret(fields)

            ib.client.decoder.interpret = note
            trade = ib.placeOrder(share(), IB.MarketOrder("BUY", 100))
            await until(lambda: trade.isDone(), "the fill")
            clock.advance(LATER)
            await until(lambda: trade.fills[0].commissionReport.execId, "the commission")
            assert messages == [
                ("5", "PreSubmitted"),
                ("3", "PreSubmitted"),
                ("11", ""),
                ("5", "Filled"),
                ("3", "Filled"),
                ("5", "Filled"),
                ("59", ""),
            ]
            assert trade.fills[0].commissionReport.commission == 65.0
            ib.disconnect()

    run(scenario())


def test_the_bare_order_by_position_is_the_order_that_is_placed() -> None:
    """Independent of any library: the fields laid out by hand from the client's source are read as meant."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.send(*bare_order())
            told = [message[0] for message in await raw.until(11)]
            assert told == ["5", "3", "11"]
            (order,) = broker.orders.values()
            assert (order.ticket.quantity, order.ticket.order_type) == (Decimal(100), "MKT")
            raw.close()

    run(scenario())


@pytest.mark.parametrize("form", [TimeForm.ZONED, TimeForm.BARE])
def test_an_execution_has_the_simulated_time_in_both_forms_of_a_gateway(form: TimeForm) -> None:
    """With the library's zone set, the form does not matter."""

    async def scenario() -> None:
        clock = hand_clock()
        async with gateway(SmallBroker(), clock, accounts=ACCOUNTS, execution_time=form) as server:
            ib = await connected(server.port)
            ib.TimezoneTWS = "US/Eastern"
            trade = ib.placeOrder(share(), IB.MarketOrder("BUY", 1))
            await until(lambda: trade.fills, "the fill")
            assert trade.fills[0].execution.time == clock.now()
            ib.disconnect()

    run(scenario())


SPOILT = [("execution_zone", "Mars/Olympus"), ("execution_extra_fields", 1), ("execution_extra_fields", -1)]


@pytest.mark.parametrize(("switch", "value"), SPOILT)
def test_an_execution_that_cannot_be_read_is_lost_to_the_library(switch: str, value: object) -> None:
    """An unknown zone or a wrong count of fields: the order says Filled, no fill is there.

    (ib_async reads a message with one field too many; ib_insync does not.)
    """
    is_lost = LIBRARY_NAME == "ib_insync" or value != 1

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            setattr(server.faults, switch, value)
            trade = ib.placeOrder(share(), IB.MarketOrder("BUY", 1))
            await until(trade.isDone, "the status")
            assert bool(trade.fills) is not is_lost
            server.faults.clear()
            assert len(await ib.reqExecutionsAsync()) == 1
            ib.disconnect()

    run(scenario())


def test_executions_are_told_late_twice_and_out_of_order() -> None:
    """The faults change when and how often a client hears, never what happened."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            raw.send(*bare_order())
            await raw.until(11)
            (execution, _), *_ = broker.told
            others = [Executed(execution=replace(execution, exec_id=f"a.b.0{n}.01")) for n in range(1, 4)]

            server.faults.execution_reorder = 3
            server.tell(others)
            last = await raw.until(11)
            heard = [last[-1][14], (await raw.next())[14], (await raw.next())[14]]
            assert heard == ["a.b.03.01", "a.b.02.01", "a.b.01.01"]

            server.faults.clear()
            server.faults.execution_copies = 2
            server.tell(others[:1])
            assert [(await raw.next())[14] for _ in range(2)] == ["a.b.01.01"] * 2

            server.faults.clear()
            server.faults.execution_delay = timedelta(minutes=2)
            server.tell(others[1:2])
            server.faults.clear()
            server.tell(others[2:])
            assert (await raw.next())[14] == "a.b.03.01"
            clock.advance(timedelta(minutes=2))
            assert (await raw.until(11))[-1][14] == "a.b.02.01"

            server.resend_executions(1)
            assert (await raw.until(11))[-1][14] == execution.exec_id
            raw.close()

    run(scenario())


def test_commissions_come_first_late_twice_or_never() -> None:
    """A report before its execution, minutes later, two times, and one that only the replay brings."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        broker.commission_after = timedelta()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            server.faults.commission_first = True
            raw.send(*bare_order())
            told = [message[0] for message in await raw.until(11)]
            assert told.index("59") < told.index("11")

            server.faults.clear()
            (execution, report), *_ = broker.told
            assert report is not None
            said = Commissioned(report=report, client_id=9, due_at=clock.now())
            server.faults.commission_copies = 2
            server.tell([said])
            assert [message[0] for message in await raw.until(59)] == ["5", "59"]
            assert [message[0] for message in await raw.until(59)] == ["5", "59"]

            server.faults.commission_copies = 0
            server.tell([said])
            server.faults.clear()
            server.faults.commission_delay = timedelta(minutes=5)
            server.tell([said])
            assert server.state.teller.waiting == 1
            clock.advance(timedelta(minutes=5))
            assert (await raw.until(59))[-1][2] == execution.exec_id
            raw.close()

    run(scenario())


def test_statuses_are_told_twice() -> None:
    """As real gateways do at times; nothing else is doubled."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            server.faults.status_copies = 2
            raw.send(*bare_order())
            raw.send("49", "1")
            told = [message[0] for message in await raw.until(49)]
            assert told == ["5", "3", "3", "11", "5", "3", "3", "49"]
            raw.close()

    run(scenario())


def test_a_question_fails_or_is_cut_short() -> None:
    """An error under its number, or the link that breaks inside the answer: neither is an empty answer."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)
            for number in range(3):
                raw.send(*bare_order(order_id=str(number + 1)))
            raw.send("49", "1")
            await raw.until(49)
            asked = ("7", "3", "50", "0", "", "", "", "", "", "")
            server.faults.failing_requests = {"Executions": 322, "Positions": 322}
            raw.send(*asked)
            assert (await raw.next())[:4] == ["4", "2", "50", "322"]
            raw.send("61", "1")
            assert (await raw.next())[:4] == ["4", "2", "-1", "322"]
            server.faults.clear()
            server.faults.cut_after_messages = 2
            raw.send(*asked)
            assert [message[0] for message in await raw.until(55) if message] == ["11", "59"]

    run(scenario())


def test_a_correction_is_one_more_execution_with_a_higher_revision() -> None:
    """The replay holds both revisions, or only the last one when the gateway is set so."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            trade = ib.placeOrder(share(), IB.MarketOrder("BUY", 4))
            await until(lambda: trade.fills, "the fill")
            (execution, report), *_ = broker.told
            higher = replace(
                execution, exec_id=f"{execution.exec_id.rpartition('.')[0]}.02", quantity=Decimal(2)
            )
            broker.told.append((higher, report))
            server.tell([Executed(execution=higher)])
            await until(lambda: len(trade.fills) == 2, "the correction")
            assert trade.filled() == 6  # the library counts both: why its bookkeeping is not trusted
            assert len(await ib.reqExecutionsAsync()) == 2
            server.faults.replay_last_revision_only = True
            (only,) = await ib.reqExecutionsAsync()
            assert only.execution.execId == higher.exec_id
            ib.disconnect()

    run(scenario())


def test_what_an_order_would_bind_is_told_with_the_gateways_own_unset_number() -> None:
    """Margins that the broker does not know are the double maximum in Java's spelling."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            state = await ib.whatIfOrderAsync(share(), IB.LimitOrder("BUY", 1, 1.2))
            assert (state.initMarginChange, state.commission) == ("250.0", 0.65)
            assert state.maintMarginChange == "1.7976931348623157E308"
            ib.disconnect()

    run(scenario())


def test_cancels_and_unknown_orders_have_the_codes_of_a_real_gateway() -> None:
    """202 for a cancel that worked, 10147 for an order nobody knows; a global cancel reaches all."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            codes: list[tuple[int, int]] = []
            ib.errorEvent += lambda request_id, code, *_: codes.append((request_id, code))
            first = ib.placeOrder(share(), IB.LimitOrder("BUY", 1, 1.0))
            second = ib.placeOrder(share(), IB.LimitOrder("BUY", 1, 0.9))
            await until(lambda: len(broker.orders) == 2, "the orders")
            ib.cancelOrder(first.order)
            await until(lambda: first.orderStatus.status == "Cancelled", "the cancel")
            ib.client.cancelOrder(999)
            ib.reqGlobalCancel()
            await until(lambda: second.orderStatus.status == "Cancelled", "the global cancel")
            assert (first.order.orderId, 202) in codes
            assert (999, 10147) in codes
            ib.disconnect()

    run(scenario())


def test_an_error_on_a_live_order_leaves_the_order_working_at_the_gateway() -> None:
    """The library marks it cancelled; asking again shows that it is not."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            trade = ib.placeOrder(share(), IB.LimitOrder("BUY", 1, 1.0))
            await until(lambda: broker.orders, "the order")
            server.order_error(7, trade.order.orderId, 388, "Order size is too small", '{"a":1}')
            await until(lambda: trade.orderStatus.status == "Cancelled", "the library's mistake")
            assert trade.advancedError == '{"a":1}'
            assert [order.status for order in broker.open_orders(7)] == ["PreSubmitted"]
            ib.disconnect()

    run(scenario())


def test_only_the_master_client_hears_what_others_trade() -> None:
    """Another client sees the execution when it asks, but its commission only as master."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        broker.commission_after = timedelta()
        async with gateway(broker, clock, accounts=ACCOUNTS, master_client_id=2) as server:
            trader = await RawClient.started(server.port, 1)
            master = await RawClient.started(server.port, 2)
            other = await RawClient.started(server.port, 3)
            trader.send(*bare_order())
            await trader.until(59)
            assert [message[0] for message in await master.until(59)] == ["5", "3", "11", "5", "3", "5", "59"]
            with_costs, without = ["11", "59", "55"], ["11", "55"]
            for raw, expected in ((master, with_costs), (other, without), (trader, with_costs)):
                raw.send("7", "3", "50", "0", "", "", "", "", "", "")
                assert [message[0] for message in await raw.until(55)] == expected
            for raw in (trader, master, other):
                raw.close()

    run(scenario())


@pytest.mark.parametrize(
    ("filter_fields", "passes"),
    [
        (("1", "", "", "", "", "", ""), True),
        (("4", "", "", "", "", "", ""), False),
        (("0", ACCOUNT, "", "SPY", "STK", "CBOE", "BUY"), True),
        (("0", "", "20261113-14:59:00", "", "", "", ""), True),
        (("0", "", "20261113 10:30:00", "", "", "", ""), False),
        (("0", "", "", "QQQ", "", "", ""), False),
        (("0", "", "", "", "OPT", "", ""), False),
        (("0", "", "", "", "", "ARCA", ""), False),
        (("0", "", "", "", "", "", "SELL"), False),
    ],
)
def test_the_filter_of_executions_is_applied(filter_fields: tuple[str, ...], passes: bool) -> None:
    """Client, account, time, symbol, type, exchange and side; empty parts pass everything."""

    async def scenario() -> None:
        async with gateway(SmallBroker(), hand_clock(), accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port, 1)
            raw.send(*bare_order())
            await raw.until(11)
            raw.send("7", "3", "50", *filter_fields)
            told = [message[0] for message in await raw.until(55)]
            assert ("11" in told[3:] or told.count("11") > 0) is passes, told
            raw.close()

    run(scenario())


def test_open_orders_are_own_or_everybodys_and_completed_ones_carry_no_order_id() -> None:
    """Own, all, bound by client 0 only, and completed without those placed by hand."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            first, second = await connected(server.port, 1), await connected(server.port, 2)
            first.placeOrder(share(), IB.LimitOrder("BUY", 1, 1.0))
            first.placeOrder(share(), IB.MarketOrder("BUY", 1))
            await until(lambda: len(broker.orders) == 2, "the orders")
            assert len(await first.reqOpenOrdersAsync()) == 1
            assert await second.reqOpenOrdersAsync() == []
            (seen,) = await second.reqAllOpenOrdersAsync()
            assert seen.order.clientId == 1
            (done,) = await second.reqCompletedOrdersAsync(False)
            assert (done.orderStatus.status, done.order.permId > 0) == ("Filled", True)
            codes: list[int] = []
            second.errorEvent += lambda request_id, code, *_: codes.append(code)
            second.reqAutoOpenOrders(True)
            await until(lambda: 321 in codes, "the refusal")
            first.disconnect()
            second.disconnect()

    run(scenario())


def test_an_order_for_an_unknown_contract_or_account_never_reaches_the_broker() -> None:
    """Error 200 for the contract, 321 for the account."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS) as server:
            ib = await connected(server.port)
            codes: list[int] = []
            ib.errorEvent += lambda request_id, code, *_: codes.append(code)
            ib.placeOrder(IB.Contract(conId=1, exchange="SMART"), IB.MarketOrder("BUY", 1))
            ib.placeOrder(share(), IB.MarketOrder("BUY", 1, account="DU9999999"))
            await until(lambda: {200, 321} <= set(codes), "both refusals")
            assert broker.orders == {}
            ib.disconnect()

    run(scenario())


def test_positions_and_account_are_told_and_then_only_what_changed() -> None:
    """Values, portfolio, positions, summary and profit, with unset parts as the double maximum."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            broker.held[OPTION.conid] = Decimal(2)
            ib = await connected(server.port)
            (held,) = ib.positions()
            assert (held.position, held.avgCost, held.contract.strike) == (2.0, 125.65, 670.0)
            (item,) = ib.portfolio()
            assert (item.marketValue, item.position) == (245.0, 2.0)
            assert {value.tag for value in ib.accountValues()} == {"NetLiquidation", "AccountType"}
            broker.held[OPTION.conid] = Decimal(0)
            clock.advance(LATER)
            await until(lambda: not ib.positions() and not ib.portfolio(), "the position to go")
            summary = await ib.accountSummaryAsync()
            assert {(each.tag, each.value) for each in summary} == {
                ("NetLiquidation", "246447.83"),
                ("AccountType", "INDIVIDUAL"),
            }
            pnl = ib.reqPnL(ACCOUNT)
            single = ib.reqPnLSingle(ACCOUNT, "", OPTION.conid)
            await until(lambda: pnl.dailyPnL == 12.5 and single.value == 125.0, "the profit")
            assert pnl.realizedPnL > 1e308
            ib.cancelPnL(ACCOUNT)
            ib.cancelPnLSingle(ACCOUNT, "", OPTION.conid)
            subscriptions = server.state.clients.by_id[7].subscriptions
            await until(lambda: not subscriptions.count("profit", "profit_single"), "the cancels")
            ib.disconnect()

    run(scenario())


def test_account_updates_are_whole_at_first_and_then_only_news() -> None:
    """A flat account is told too; a fill brings its own position at once, prices wait three minutes."""

    async def scenario() -> None:
        broker, clock = SmallBroker(), hand_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            raw = await RawClient.started(server.port)

            async def told() -> list[str]:
                raw.send("49", "1")
                return [message[0] for message in await raw.until(49)][:-1]

            raw.send("6", "2", "1", ACCOUNT)
            assert await told() == ["6", "6", "8", "54"]
            broker.held = {SHARE.conid: Decimal(1), OPTION.conid: Decimal(2)}
            clock.advance(LATER)
            server.pump()
            assert await told() == ["7", "7", "8"]
            broker.held[OPTION.conid] = Decimal(3)
            broker.bid = Decimal("1.21")
            clock.advance(LATER)
            server.pump()
            assert await told() == ["7", "8"]
            clock.advance(timedelta(minutes=3))
            server.pump()
            assert await told() == ["7", "8"]
            clock.advance(timedelta(minutes=3))
            server.pump()
            assert await told() == ["8"]
            raw.send("6", "2", "0", ACCOUNT)
            assert await told() == []
            clock.advance(timedelta(minutes=3))
            server.pump()
            assert await told() == []
            raw.close()

    run(scenario())


def test_an_order_placed_by_hand_is_told_to_client_0_and_seen_by_all() -> None:
    """It has no order id above 0; only its permId names it, also in the executions of the day."""

    async def scenario() -> None:
        broker, clock = real_broker(), opening_clock()
        async with gateway(broker, clock, accounts=ACCOUNTS) as server:
            by_hand, other = await RawClient.started(server.port, 0), await connected(server.port, 5)
            server.tell(broker.place_by_hand(ACCOUNT, SPY_CONID, "BUY", Decimal(3), clock.now(), Decimal(1)))
            told = (await by_hand.until(3))[-1]
            assert int(told[1]) <= 0
            by_hand.send("15", "1", "1")
            bound = (await by_hand.until(100))[-1]
            assert bound[1:3] == [told[6], "0"]
            (seen,) = await other.reqAllOpenOrdersAsync()
            assert (seen.order.permId, seen.order.clientId) == (int(told[6]), 0)
            assert await other.reqOpenOrdersAsync() == []
            server.tell(broker.place_by_hand(ACCOUNT, SPY_CONID, "BUY", Decimal(3), clock.now()))
            clock.advance(timedelta(seconds=30))
            server.pump()
            fills = await other.reqExecutionsAsync()
            assert sum(fill.execution.shares for fill in fills) == 3
            assert {fill.execution.orderId <= 0 for fill in fills} == {True}
            by_hand.close()
            other.disconnect()

    run(scenario())


def test_a_read_only_gateway_refuses_orders_and_answers_all_else() -> None:
    """Code 321 under the order's id; nothing reaches the broker."""

    async def scenario() -> None:
        broker = SmallBroker()
        async with gateway(broker, hand_clock(), accounts=ACCOUNTS, read_only=True) as server:
            ib = await connected(server.port)
            codes: list[tuple[int, int]] = []
            ib.errorEvent += lambda request_id, code, *_: codes.append((request_id, code))
            trade = ib.placeOrder(share(), IB.MarketOrder("BUY", 1))
            await until(lambda: (trade.order.orderId, 321) in codes, "the refusal")
            assert broker.orders == {}
            assert await ib.reqCurrentTimeAsync()
            ib.disconnect()

    run(scenario())
