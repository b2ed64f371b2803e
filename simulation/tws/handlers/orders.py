"""Requests about orders and executions.

An order that cannot be read, or whose contract is not exactly one, never reaches the broker: a guess here
would be a position nobody wanted.
"""

from collections.abc import Iterable
from datetime import datetime

from simulation.broker.model import CommissionView, ExecutionView, OrderView
from simulation.tws.client import Client
from simulation.tws.contracts import sec_type_of, symbol_of
from simulation.tws.fields import MalformedRequest
from simulation.tws.moments import moment
from simulation.tws.notices import text_of
from simulation.tws.place_order import COMBINATION, PlaceOrder
from simulation.tws.replies import executions as say_executions
from simulation.tws.replies import orders as say
from simulation.tws.requests.orders import (
    AllOpenOrders,
    AutoOpenOrders,
    CancelOrder,
    CompletedOrders,
    Executions,
    GlobalCancel,
    OpenOrders,
)
from simulation.tws.state import GatewayState
from simulation.tws.telling import execution_message
from simulation.tws.tickets import ticket_of
from trading.model.times import NEW_YORK

BY_HAND = 0  # the client id of orders placed in the gateway's own window
SIDES = {"BUY": 1, "SELL": -1, "BOT": 1, "SLD": -1}


def place(state: GatewayState, client: Client, request: PlaceOrder) -> None:
    contract = None
    if request.query.sec_type != COMBINATION:
        record = state.one_contract(request.query)
        if record is None:
            client.error(request.order_id, 200)
            return
        contract = record.contract
    assert client.client_id is not None
    try:
        ticket = ticket_of(
            request, client_id=client.client_id, default_account=state.accounts[0], contract=contract
        )
    except MalformedRequest as error:
        client.error(request.order_id, 321, text_of(321, request="cO", reason=error))
        return
    if ticket.account not in state.accounts:
        text = text_of(321, request="cO", reason=f"The account code '{ticket.account}' is unknown")
        client.error(request.order_id, 321, text)
        return
    state.tell(state.broker.place(ticket, state.clock.now()))


def cancel(state: GatewayState, client: Client, request: CancelOrder) -> None:
    assert client.client_id is not None
    state.tell(state.broker.cancel(client.client_id, request.order_id, state.clock.now()))


def global_cancel(state: GatewayState, client: Client, request: GlobalCancel) -> None:
    state.tell(state.broker.global_cancel(state.clock.now()))


def open_orders(state: GatewayState, client: Client, request: OpenOrders) -> None:
    _tell_open(state, client, state.broker.open_orders(client.client_id))


def all_open_orders(state: GatewayState, client: Client, request: AllOpenOrders) -> None:
    _tell_open(state, client, state.broker.open_orders(None))


def auto_open_orders(state: GatewayState, client: Client, request: AutoOpenOrders) -> None:
    if client.client_id != BY_HAND:
        reason = "Only the API client with id 0 can bind orders"
        client.error(-1, 321, text_of(321, request="al", reason=reason))
        return
    for order in state.broker.open_orders(BY_HAND):
        _tell_one(client, order)
        if request.binds:
            client.send(say.order_bound(order))


def completed_orders(state: GatewayState, client: Client, request: CompletedOrders) -> None:
    for order in state.broker.completed_orders():
        if request.api_only and order.ticket.order_id <= 0:
            continue
        client.send(say.completed_order(order, client.version, _completed_at))
    if not state.faults.omit_completed_orders_end:
        client.send(say.completed_orders_end())


def executions(state: GatewayState, client: Client, request: Executions) -> None:
    hears_all = client.client_id == state.options.master_client_id
    for execution, commission in _replayed(state, request):
        client.send(execution_message(state, execution, request.request_id))
        if commission is not None and (hears_all or execution.client_id == client.client_id):
            client.send(say_executions.commission_report(commission))
    if not state.faults.omit_executions_end:
        client.send(say_executions.executions_end(request.request_id))


def _replayed(
    state: GatewayState, request: Executions
) -> Iterable[tuple[ExecutionView, CommissionView | None]]:
    since = moment("time", request.since)
    told = [each for each in state.broker.executions(state.clock.now()) if _passes(each[0], request, since)]
    if not state.faults.replay_last_revision_only:
        return told
    last = {execution.exec_id.rpartition(".")[0]: execution.exec_id for execution, _ in told}
    return [each for each in told if each[0].exec_id in last.values()]


def _passes(execution: ExecutionView, request: Executions, since: datetime | None) -> bool:
    """Whether an execution passes the filter; an empty part of the filter passes everything."""
    return (
        request.client_id in (0, execution.client_id)
        and request.account in ("", execution.account)
        and (since is None or execution.at >= since)
        and request.symbol in ("", symbol_of(execution.contract))
        and request.sec_type in ("", sec_type_of(execution.contract))
        and request.exchange in ("", execution.exchange)
        and SIDES.get(request.side.upper(), execution.side) == execution.side
    )


def _tell_open(state: GatewayState, client: Client, orders: Iterable[OrderView]) -> None:
    for order in orders:
        _tell_one(client, order)
    if not state.faults.omit_open_orders_end:
        client.send(say.open_orders_end())


def _tell_one(client: Client, order: OrderView) -> None:
    client.send(say.open_order(order, client.version))
    client.send(say.order_status(order))


def _completed_at(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%Y%m%d %H:%M:%S} US/Eastern"
