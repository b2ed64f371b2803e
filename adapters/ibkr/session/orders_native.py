"""Orders as the client library wants them: a checked request, or a change of an order it told us of."""

import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.ibkr.session.client_library import UNSET_NUMBER, new_contract, new_order
from adapters.ibkr.session.order_request import OrderRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to place; `parent_id` is its parent's number on this connection, 0 without."""

    request: OrderRequest
    parent_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedOrder:
    """An order to send again with other figures; None leaves one. The rest stays as it was told."""

    native: tuple[Any, Any]
    quantity: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None


def native_order(content: NewOrder | ChangedOrder) -> tuple[Any, Any]:
    """The library's contract and order."""
    return _changed(content) if isinstance(content, ChangedOrder) else _new(content)


def _new(content: NewOrder) -> tuple[Any, Any]:
    wanted = content.request
    contract = new_contract(conId=wanted.conid, secType=wanted.sec_type, exchange=wanted.exchange)
    order = new_order(
        action=wanted.side,
        totalQuantity=float(wanted.quantity),
        orderType=wanted.order_type,
        lmtPrice=_float(wanted.limit_price),
        auxPrice=_float(wanted.stop_price),
        trailStopPrice=_float(wanted.trail_stop_price),
        trailingPercent=_float(wanted.trailing_percent),
        tif=wanted.time_in_force,
        goodTillDate=wanted.good_till,
        ocaGroup=wanted.oca_group,
        ocaType=wanted.oca_type,
        parentId=content.parent_id,
        transmit=wanted.transmit,
        outsideRth=wanted.outside_rth,
        triggerMethod=wanted.trigger_method,
        account=wanted.account,
        orderRef=wanted.order_ref,
    )
    return contract, order


def _changed(content: ChangedOrder) -> tuple[Any, Any]:
    """The fields of its group are left alone (the broker refuses another), and it is sent on at once."""
    contract, order = content.native
    changed = copy.copy(order)
    changed.transmit = True
    if content.quantity is not None:
        changed.totalQuantity = float(content.quantity)
    if content.limit_price is not None:
        changed.lmtPrice = float(content.limit_price)
    if content.stop_price is not None:
        changed.auxPrice = float(content.stop_price)
    return contract, changed


def _float(value: Decimal | None) -> float:
    return UNSET_NUMBER if value is None else float(value)
