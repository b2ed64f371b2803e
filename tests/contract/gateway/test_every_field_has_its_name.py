"""Each message with a different value in every place, read by the library under the name it was meant for.

Two fields exchanged would pass where both are zero; here nothing is.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from gateway_client import library, read, written
from small_broker import ACCOUNT, OPTION

from simulation.broker.model import (
    CommissionView,
    ExecutionView,
    Greeks,
    OrderView,
    PositionView,
    Status,
    Ticket,
)
from simulation.broker.questions import AccountPnl, Bar, DepthRow, PositionPnl, Print
from simulation.tws.fields import Cursor
from simulation.tws.place_order import read_place_order
from simulation.tws.replies import account, executions, history, market, orders
from simulation.tws.tickets import ticket_of

IB = library()
AT = datetime(2026, 11, 13, 15, 30, 5, tzinfo=UTC)
BAR = Bar(
    at=AT, open=Decimal("1.1"), high=Decimal("1.4"), low=Decimal("1.0"), close=Decimal("1.3"),
    volume=55, average=Decimal("1.2"), count=7,
)  # fmt: skip
HELD = PositionView(account=ACCOUNT, contract=OPTION, quantity=Decimal(-3), average_cost=Decimal("125.65"))


def heard(message: list[str]) -> tuple[Any, ...]:
    """The arguments of the one call that the library makes of a message."""
    return read(message, 176)[1]


def placed(**values: Any) -> Ticket:
    """The ticket out of the library's own order."""
    asked = IB.Order(action="SELL", orderType="LMT", totalQuantity=9, lmtPrice=1.25, **values)
    contract = IB.Contract(conId=OPTION.conid, exchange="CBOE")
    texts = written(176, "placeOrder", 12, contract, asked)
    request = read_place_order(Cursor(texts[1:]), 176)
    return ticket_of(request, client_id=7, default_account=ACCOUNT, contract=OPTION)


def test_an_order_is_placed_as_it_was_meant() -> None:
    """What decides about money: side, quantity, prices, time in force, family, group, transmission."""
    ticket = placed(
        auxPrice=1.5, tif="GTC", ocaGroup="g", ocaType=2, parentId=11, transmit=False, outsideRth=True,
        orderRef="ref", account="DU9", whatIf=True, trailStopPrice=1.75, trailingPercent=4.0,
    )  # fmt: skip
    assert ticket == replace(
        ticket, action="SELL", quantity=Decimal(9), order_type="LMT", limit_price=Decimal("1.25"),
        aux_price=Decimal("1.5"), tif="GTC", oca_group="g", oca_type=2, parent_id=11, transmit=False,
        outside_rth=True, order_ref="ref", account="DU9", what_if=True, exchange="CBOE",
        trail_stop_price=Decimal("1.75"), trailing_percent=Decimal(4), client_id=7, order_id=12,
    )  # fmt: skip


def test_what_a_client_leaves_out_has_the_gateways_default() -> None:
    """A day order of the first account that is transmitted at once; prices that are not set are none."""
    ticket = placed()
    assert (ticket.tif, ticket.account, ticket.transmit, ticket.what_if) == ("DAY", ACCOUNT, True, False)
    assert (ticket.aux_price, ticket.trail_stop_price, ticket.trailing_percent) == (None, None, None)
    assert (ticket.outside_rth, ticket.oca_type, ticket.parent_id) == (False, 0, 0)


def order_view(**values: Any) -> OrderView:
    """An order half done; every number is another."""
    terms: dict[str, Any] = {
        "ticket": placed(parentId=11), "perm_id": 600, "status": Status.CANCELLED, "filled": Decimal(4),
        "remaining": Decimal(5), "average_price": Decimal("1.26"), "last_price": Decimal("1.27"),
        "placed_at": AT, "parent_perm_id": 599, "why_held": "locate", "ended_at": AT,
    }  # fmt: skip
    return OrderView(**{**terms, **values})


def test_a_status_is_read_name_by_name() -> None:
    """Filled, remaining, average, last, parent, client and the reason it is held."""
    told = heard(orders.order_status(order_view()))
    assert told == (12, "Cancelled", 4.0, 5.0, 1.26, 600, 11, 1.27, 7, "locate", 0.0)


def test_a_completed_order_is_read_name_by_name() -> None:
    """How much was filled, its parent's permanent id, when and how it ended."""
    ended = "20261113 10:30:05 US/Eastern"
    _, order, state = heard(orders.completed_order(order_view(), 176, lambda at: ended))
    assert (order.permId, order.filledQuantity, order.parentPermId) == (600, 4.0, 599)
    assert (state.completedTime, state.completedStatus, state.status) == (
        ended,
        "Cancelled by Trader",
        "Cancelled",
    )


def test_an_execution_is_read_name_by_name() -> None:
    """This fill's quantity and price, the order's cumulative and average, who placed it and why."""
    execution = ExecutionView(
        exec_id="a.b.01.01", at=AT, account=ACCOUNT, contract=OPTION, exchange="PHLX", side=-1,
        quantity=Decimal(2), price=Decimal("1.27"), perm_id=600, client_id=7, order_id=12,
        cumulative=Decimal(4), average_price=Decimal("1.26"), order_ref="ref", liquidity=1,
    )  # fmt: skip
    ended = "20261113 10:30:05 US/Eastern"
    request_id, contract, told = heard(executions.execution(execution, 50, lambda at: ended))
    assert (request_id, contract.conId, contract.strike) == (50, OPTION.conid, 670.0)
    assert (told.execId, told.acctNumber, told.exchange, told.side) == ("a.b.01.01", ACCOUNT, "PHLX", "SLD")
    assert (told.shares, told.price, told.cumQty, told.avgPrice) == (2.0, 1.27, 4.0, 1.26)
    assert (told.permId, told.clientId, told.orderId) == (600, 7, 12)
    assert (told.orderRef, told.lastLiquidity, told.time) == ("ref", 1, AT)


@pytest.mark.parametrize("realized", [Decimal("-7.25"), Decimal(0)])
def test_a_commission_is_read_name_by_name(realized: Decimal) -> None:
    """A rebate is negative; a profit of nothing is not an unset one."""
    report = CommissionView(exec_id="e", amount=Decimal("-0.48"), currency="EUR", realized=realized)
    (told,) = heard(executions.commission_report(report))
    assert (told.execId, told.commission, told.currency, told.realizedPNL) == (
        "e",
        -0.48,
        "EUR",
        float(realized),
    )


def test_accounts_are_read_name_by_name() -> None:
    """Position, portfolio row, profit of account and position."""
    account_name, contract, quantity, cost = heard(account.position(HELD))
    assert (account_name, contract.conId, quantity, cost) == (ACCOUNT, OPTION.conid, -3.0, 125.65)
    row = account.PortfolioRow(
        position=HELD, price=Decimal("1.3"), value=Decimal(-390), unrealized=Decimal("-13.05"),
        realized=Decimal("4.5"),
    )  # fmt: skip
    assert heard(account.portfolio_value(row))[1:] == (-3.0, 1.3, -390.0, 125.65, -13.05, 4.5, ACCOUNT)
    pnl = AccountPnl(daily=Decimal(1), unrealized=Decimal(2), realized=Decimal(3))
    assert heard(account.profit(5, pnl)) == (5, 1.0, 2.0, 3.0)
    single = PositionPnl(
        quantity=Decimal(4), daily=Decimal(1), unrealized=Decimal(2), realized=Decimal(3), value=Decimal(9)
    )
    assert heard(account.profit_single(5, single)) == (5, 4.0, 1.0, 2.0, 3.0, 9.0)
    assert heard(account.account_value(ACCOUNT, "NetLiquidation", "5", "USD")) == (
        "NetLiquidation",
        "5",
        "USD",
        ACCOUNT,
    )


def test_bars_are_read_name_by_name() -> None:
    """Three messages with three orders of fields, one bar."""
    names = ("open", "high", "low", "close", "volume", "average", "barCount")
    form = history.BarForm(format_date=2, bar_s=60)
    expected = [1.1, 1.4, 1.0, 1.3, 55.0, 1.2, 7]
    _, update = heard(history.bar_update(5, BAR, form))
    assert [getattr(update, name) for name in names] == expected
    wrapper_calls = history.historical_bars(5, AT, AT + timedelta(minutes=1), [BAR], form)
    assert wrapper_calls[6:] == ["1.1", "1.4", "1.0", "1.3", "55", "1.2", "7"]
    assert heard(history.real_time_bar(5, BAR)) == (5, int(AT.timestamp()), 1.1, 1.4, 1.0, 1.3, 55.0, 1.2, 7)


def test_ticks_are_read_name_by_name() -> None:
    """Greeks, sizes, prices, books, single trades and quotes."""
    greeks = Greeks(
        implied_volatility=0.15, delta=0.5, gamma=0.02, vega=0.3, theta=-0.4, price=1.22, underlying=671.5
    )
    assert heard(market.option_computation(5, 13, greeks)) == (
        5, 13, 1, 0.15, 0.5, 1.22, 0.0, 0.02, 0.3, -0.4, 671.5,
    )  # fmt: skip
    assert heard(market.tick_price(5, 1, Decimal("1.2"), 10)) == (5, 1, 1.2, 10.0)
    assert heard(market.tick_size(5, 8, 1234)) == (5, 8, 1234.0)
    row = DepthRow(price=Decimal("1.2"), size=10, maker="ARCA")
    assert heard(market.depth(5, 2, 1, 0, row)) == (5, 2, 1, 0, 1.2, 10.0)
    assert heard(market.depth_by_maker(5, 2, 1, 0, row, is_smart=True)) == (
        5, 2, "ARCA", 1, 0, 1.2, 10.0, True,
    )  # fmt: skip
    trade = Print(at=AT, price=Decimal("1.2"), size=3, exchange="IEX", conditions="I", past_limit=True)
    _, kind, _, price, size, marks, exchange, conditions = heard(market.tick_by_tick_trade(5, 1, trade))
    assert (kind, price, size, exchange, conditions) == (1, 1.2, 3.0, "IEX", "I")
    assert (marks.pastLimit, marks.unreported) == (True, False)
    quote = heard(market.tick_by_tick_quote(5, AT, Decimal("1.2"), Decimal("1.3"), 10, 11))
    assert quote[:6] == (5, int(AT.timestamp()), 1.2, 1.3, 10.0, 11.0)
