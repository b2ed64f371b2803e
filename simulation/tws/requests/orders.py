"""Requests about orders and executions, but for placing one (place_order.py)."""

from dataclasses import dataclass

from simulation.tws import versions
from simulation.tws.fields import Cursor


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel one order of the client's."""

    order_id: int


@dataclass(frozen=True, slots=True)
class GlobalCancel:
    """Cancel every order, whoever placed it."""


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """The client's own open orders."""


@dataclass(frozen=True, slots=True)
class AllOpenOrders:
    """Everybody's open orders."""


@dataclass(frozen=True, slots=True)
class AutoOpenOrders:
    """Client 0 wants orders placed by hand, with order ids of its own when it binds them."""

    binds: bool


@dataclass(frozen=True, slots=True)
class CompletedOrders:
    """Orders that ended today; `api_only` leaves out those placed by hand."""

    api_only: bool


@dataclass(frozen=True, slots=True)
class Executions:
    """Executions since midnight that pass the filter; empty fields pass all."""

    request_id: int
    client_id: int
    account: str
    since: str
    symbol: str
    sec_type: str
    exchange: str
    side: str


def cancel_order(cursor: Cursor, version: int) -> CancelOrder:
    cursor.integer("version")
    request = CancelOrder(cursor.integer("orderId"))
    if version >= versions.MANUAL_TIME:
        cursor.text("manualCancelOrderTime")
    return request


def global_cancel(cursor: Cursor, version: int) -> GlobalCancel:
    cursor.integer("version")
    return GlobalCancel()


def open_orders(cursor: Cursor, version: int) -> OpenOrders:
    cursor.integer("version")
    return OpenOrders()


def all_open_orders(cursor: Cursor, version: int) -> AllOpenOrders:
    cursor.integer("version")
    return AllOpenOrders()


def auto_open_orders(cursor: Cursor, version: int) -> AutoOpenOrders:
    cursor.integer("version")
    return AutoOpenOrders(cursor.flag("autoBind"))


def completed_orders(cursor: Cursor, version: int) -> CompletedOrders:
    return CompletedOrders(cursor.flag("apiOnly"))


def executions(cursor: Cursor, version: int) -> Executions:
    cursor.integer("version")
    return Executions(
        cursor.integer("reqId"),
        cursor.integer("clientId"),
        cursor.text("acctCode"),
        cursor.text("time"),
        cursor.text("symbol"),
        cursor.text("secType"),
        cursor.text("exchange"),
        cursor.text("side"),
    )
