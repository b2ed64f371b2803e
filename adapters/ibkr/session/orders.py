"""The orders as the broker tells them, put together from their open-order, status and completed messages.

What can lose money here: taking one order for another. The API's number is valid for one connection and one
client (a restarted gateway counts from below), so it is forgotten with the connection; what stays is the
broker's perm_id, and our order_ref. A status names no contract: without its order it waits, it is no order.

An order that is over stays over: a status that comes late or twice does not bring it back to life.
"""

from dataclasses import dataclass, replace

from adapters.ibkr.session.heard import OrderHeard, StatusHeard
from trading.model.broker import BrokerOrder

OVER = frozenset({"Filled", "Cancelled", "ApiCancelled"})  # Inactive may come back
ORDERS_KEPT_MAX = 50_000
STATUSES_WAITING_MAX = 1_000

Number = tuple[int, int]  # client id, order id


@dataclass(slots=True, kw_only=True)
class KnownOrder:
    """An order, and the library's objects of its last open-order message on this connection."""

    order: BrokerOrder
    native: tuple[object, object] | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.order.status in OVER


class KnownOrders:
    """All orders that this process has heard of; the oldest that are over are forgotten first."""

    def __init__(self) -> None:
        self._by_perm_id: dict[str, KnownOrder] = {}
        self._by_number: dict[Number, KnownOrder] = {}
        self._by_ref: dict[str, KnownOrder] = {}
        self._waiting: dict[Number, StatusHeard] = {}

    def take_order(self, heard: OrderHeard) -> BrokerOrder | None:
        """Take an open or completed order; returns how it stands, None where that is no news."""
        told = heard.order
        known = self._known(told.client_id, told.order_id, told.perm_id)
        if known is None:
            return self._add(heard)
        if heard.completed:
            merged = self._ended(known, told)
        else:
            merged = self._reopened(known, heard)
            known.native = heard.native
        self._index(known, merged)
        return self._changed(known, merged)

    def take_status(self, heard: StatusHeard) -> BrokerOrder | None:
        """Take a status; returns how its order stands, None where that is no news or the order not known."""
        known = self._known(heard.client_id, heard.order_id, heard.perm_id)
        if known is None:
            if len(self._waiting) < STATUSES_WAITING_MAX:
                self._waiting[heard.client_id, heard.order_id] = heard
            return None
        merged = self._with_status(known, heard)
        self._index(known, merged)
        return self._changed(known, merged)

    def numbered(self, client_id: int, order_id: int) -> KnownOrder | None:
        """The order with a number of this connection."""
        return self._by_number.get((client_id, order_id))

    def with_perm_id(self, perm_id: str) -> KnownOrder | None:
        """The order that the broker calls so."""
        return self._by_perm_id.get(perm_id)

    def with_ref(self, order_ref: str) -> KnownOrder | None:
        """The order that we called so; the latest where the broker has several."""
        return self._by_ref.get(order_ref)

    def as_it_stands(self, order: BrokerOrder) -> BrokerOrder:
        """The same order with everything that was heard of it since."""
        known = self._known(order.client_id, order.order_id, order.perm_id)
        return order if known is None else known.order

    def all(self) -> list[BrokerOrder]:
        """Every order, in the order of the first word of it."""
        return [known.order for known in self._by_perm_id.values()]

    def forget_numbers(self) -> None:
        """The connection is gone, and its order numbers with it."""
        self._by_number.clear()
        self._waiting.clear()
        for known in self._by_perm_id.values():
            known.native = None

    def _known(self, client_id: int, order_id: int, perm_id: str) -> KnownOrder | None:
        if perm_id and perm_id in self._by_perm_id:
            return self._by_perm_id[perm_id]
        found = self._by_number.get((client_id, order_id)) if order_id > 0 else None
        if found is not None and perm_id and found.order.perm_id not in ("", perm_id):
            return None  # the number names another order now
        return found

    def _add(self, heard: OrderHeard) -> BrokerOrder:
        known = KnownOrder(order=heard.order, native=heard.native)
        waiting = self._waiting.pop((heard.order.client_id, heard.order.order_id), None)
        if waiting is not None and waiting.perm_id in ("", heard.order.perm_id):
            known.order = self._with_status(known, waiting)
        known.order = self._with_parent(known.order, heard.parent_order_id)
        self._index(known, known.order)
        self._make_room()
        return known.order

    def _reopened(self, known: KnownOrder, heard: OrderHeard) -> BrokerOrder:
        """An open order told again; that it is over is the status's word, which says what filled."""
        before, told = known.order, heard.order
        merged = replace(
            told,
            filled=before.filled,
            remaining=told.quantity - before.filled,
            average_price=before.average_price,
            why_held=before.why_held,
            parent_perm_id=before.parent_perm_id,
            status=before.status if known.is_over or told.status in OVER else told.status,
        )
        return self._with_parent(merged, heard.parent_order_id)

    def _ended(self, known: KnownOrder, told: BrokerOrder) -> BrokerOrder:
        """The completed message leaves out much; what was known of a working order stays."""
        filled = max(told.filled, known.order.filled)
        return replace(
            known.order,
            status=told.status,
            filled=filled,
            remaining=max(known.order.quantity, told.quantity) - filled,
            order_ref=known.order.order_ref or told.order_ref,
        )

    def _with_status(self, known: KnownOrder, heard: StatusHeard) -> BrokerOrder:
        if known.is_over and heard.status not in OVER:
            return known.order
        merged = replace(
            known.order,
            perm_id=heard.perm_id or known.order.perm_id,
            status=heard.status,
            filled=heard.filled,
            remaining=heard.remaining,
            average_price=heard.average_price,
            why_held=heard.why_held,
        )
        return self._with_parent(merged, heard.parent_order_id)

    def _with_parent(self, order: BrokerOrder, parent_order_id: int) -> BrokerOrder:
        parent = self._by_number.get((order.client_id, parent_order_id)) if parent_order_id else None
        return order if parent is None else replace(order, parent_perm_id=parent.order.perm_id)

    def _index(self, known: KnownOrder, order: BrokerOrder) -> None:
        if order.perm_id:
            self._by_perm_id[order.perm_id] = known
        if order.order_id > 0:
            self._by_number[order.client_id, order.order_id] = known
        if order.order_ref:
            self._by_ref[order.order_ref] = known

    def _changed(self, known: KnownOrder, merged: BrokerOrder) -> BrokerOrder | None:
        if merged == known.order:
            return None
        known.order = merged
        return merged

    def _make_room(self) -> None:
        if len(self._by_perm_id) <= ORDERS_KEPT_MAX:
            return
        for perm_id, known in self._by_perm_id.items():
            if known.is_over:
                del self._by_perm_id[perm_id]
                self._by_number.pop((known.order.client_id, known.order.order_id), None)
                self._by_ref.pop(known.order.order_ref, None)
                return
