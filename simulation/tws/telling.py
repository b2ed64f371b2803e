"""From what the broker says to who hears it, when, and in which order.

The recorded order for a market order is: open order and status PreSubmitted, execution, open order and status
Filled, open order once more with the commission, commission report last. The broker says things in this
order; late commissions wait here until they are due, and the wire faults (late, twice, out of order) are
applied to executions and commission reports only, which is where money is counted.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from simulation.broker.model import (
    BrokerSays,
    Commissioned,
    CommissionView,
    Executed,
    ExecutionView,
    OrderTold,
    OrderView,
    Refused,
    WhatIf,
)
from simulation.tws.replies import Message, executions, orders

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

REMEMBERED_MAX = 200_000  # executions and orders of a long session; beyond it the oldest are forgotten
REORDER_PATIENCE = timedelta(seconds=5)  # executions held for reordering go out then at the latest


@dataclass(order=True, slots=True)
class _Waiting:
    due_at: datetime
    number: int
    said: Executed | Commissioned = field(compare=False)


@dataclass(slots=True)
class _Standing:
    """What is known of one order: its last view, and what its executions cost so far."""

    order: OrderView
    commission: Decimal = Decimal(0)
    currency: str = ""


@dataclass(slots=True)
class Teller:
    """Queues what is not due yet and sends the rest."""

    _waiting: list[_Waiting] = field(default_factory=list)
    _held: list[Executed] = field(default_factory=list)
    _held_since: datetime | None = None
    _number: int = 0
    _orders: dict[int, _Standing] = field(default_factory=dict)
    _order_of: dict[str, int] = field(default_factory=dict)
    _behind: dict[str, Executed] = field(default_factory=dict)  # told after their commission report
    is_cut_off: bool = False  # the gateway lost its broker: what happens is told when it is back
    _kept: list[BrokerSays] = field(default_factory=list)

    @property
    def waiting(self) -> int:
        """How many executions and reports are still to go out."""
        return len(self._waiting) + len(self._held) + len(self._behind) + len(self._kept)

    def tell(self, state: "GatewayState", says: Sequence[BrokerSays], now: datetime) -> None:
        """Send what is due now, keep the rest."""
        if self.is_cut_off:
            self._kept += says
            return
        for said in says:
            self._say(said, state, now)

    def reconnect(self, state: "GatewayState", now: datetime) -> None:
        """The broker is back: tell what happened meanwhile."""
        self.is_cut_off = False
        kept, self._kept = self._kept, []
        self.tell(state, kept, now)

    def release(self, state: "GatewayState", now: datetime) -> None:
        """Send what has become due."""
        if self.is_cut_off:
            return
        while self._waiting and self._waiting[0].due_at <= now:
            self._send(heapq.heappop(self._waiting).said, state)
        if self._held_since is not None and now - self._held_since >= REORDER_PATIENCE:
            self._release_held(state)

    # one thing said

    def _say(self, said: BrokerSays, state: "GatewayState", now: datetime) -> None:
        match said:
            case OrderTold():
                self._tell_order(said, state)
            case Executed():
                self._tell_execution(said, state, now)
            case Commissioned():
                self._tell_commission(said, state, now)
            case Refused():
                self._tell_refusal(said, state)
            case WhatIf():
                self._tell_what_if(said, state)

    def _tell_order(self, said: OrderTold, state: "GatewayState") -> None:
        order = said.order
        self._stand(order)
        for client in state.clients.hearing(order.ticket.client_id, state.options.master_client_id):
            if said.open_order:
                client.send(orders.open_order(order, client.version))
            for _copy in range(state.faults.status_copies):
                client.send(orders.order_status(order))

    def _tell_refusal(self, said: Refused, state: "GatewayState") -> None:
        for client in state.clients.hearing(said.client_id, None):
            client.error(said.order_id, said.code, said.text, said.reject_json)

    def _tell_what_if(self, said: WhatIf, state: "GatewayState") -> None:
        told = orders.OrderState(margin=said.margin)
        for client in state.clients.hearing(said.order.ticket.client_id, None):
            client.send(orders.open_order(said.order, client.version, told))

    def _tell_execution(self, said: Executed, state: "GatewayState", now: datetime) -> None:
        self._remember(said.execution)
        faults = state.faults
        for _copy in range(faults.execution_copies):
            if faults.commission_first:
                self._behind.setdefault(said.execution.exec_id, said)
            elif faults.execution_delay:
                self._wait(said, now + faults.execution_delay)
            elif faults.execution_reorder > 1:
                self._hold(said, state, now)
            else:
                self._send(said, state)

    def _tell_commission(self, said: Commissioned, state: "GatewayState", now: datetime) -> None:
        due_at = said.due_at + state.faults.commission_delay
        for _copy in range(state.faults.commission_copies):
            if due_at <= now:
                self._send(said, state)
            else:
                self._wait(said, due_at)

    # sending

    def _wait(self, said: Executed | Commissioned, due_at: datetime) -> None:
        self._number += 1
        heapq.heappush(self._waiting, _Waiting(due_at, self._number, said))

    def _hold(self, said: Executed, state: "GatewayState", now: datetime) -> None:
        self._held.append(said)
        self._held_since = self._held_since or now
        if len(self._held) >= state.faults.execution_reorder:
            self._release_held(state)

    def _release_held(self, state: "GatewayState") -> None:
        held, self._held, self._held_since = self._held, [], None
        for said in reversed(held):
            self._send(said, state)

    def _send(self, said: Executed | Commissioned, state: "GatewayState") -> None:
        if isinstance(said, Executed):
            self.send_execution(state, said.execution)
        else:
            self._send_commission(state, said)

    def send_execution(self, state: "GatewayState", execution: ExecutionView) -> None:
        """Tell an execution nobody asked for to those who hear its order."""
        message = execution_message(state, execution, executions.LIVE)
        for client in state.clients.hearing(execution.client_id, state.options.master_client_id):
            client.send(message)

    def _send_commission(self, state: "GatewayState", said: Commissioned) -> None:
        told = self._order_with_commission(said.report)
        report = executions.commission_report(said.report)
        for client in state.clients.hearing(said.client_id, state.options.master_client_id):
            if told is not None:
                standing, order_state = told
                client.send(orders.open_order(standing, client.version, order_state))
            client.send(report)
        behind = self._behind.pop(said.report.exec_id, None)
        if behind is not None:
            self.send_execution(state, behind.execution)

    def _order_with_commission(self, report: CommissionView) -> tuple[OrderView, orders.OrderState] | None:
        """The order once more with what it cost so far, when it is done."""
        perm_id = self._order_of.get(report.exec_id)
        standing = self._orders.get(perm_id) if perm_id is not None else None
        if standing is None:
            return None
        standing.commission += report.amount
        standing.currency = report.currency
        if not standing.order.status.is_done:
            return None
        told = orders.OrderState(commission=standing.commission, currency=standing.currency)
        return standing.order, told

    def _stand(self, order: OrderView) -> None:
        standing = self._orders.get(order.perm_id)
        if standing is None:
            if len(self._orders) >= REMEMBERED_MAX:
                self._orders.pop(next(iter(self._orders)))
            self._orders[order.perm_id] = _Standing(order)
        else:
            standing.order = order

    def _remember(self, execution: ExecutionView) -> None:
        if len(self._order_of) >= REMEMBERED_MAX:
            self._order_of.pop(next(iter(self._order_of)))
        self._order_of[execution.exec_id] = execution.perm_id


def execution_message(state: "GatewayState", execution: ExecutionView, request_id: int) -> Message:
    """An execution as this gateway is set to print it, and as its faults spoil it."""
    message = executions.execution(execution, request_id, state.time_of_execution)
    extra = state.faults.execution_extra_fields
    if extra > 0:
        return [*message, *[""] * extra]
    return message[:extra] if extra < 0 else message
