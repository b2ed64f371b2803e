"""What may be changed about an order that the broker has, and what the broker says when it may not.

A refused change leaves the order working exactly as it was: the error names a live order, which a client
must not take for its end.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from simulation.broker.conduct import Refusal
from simulation.broker.model import BrokerSays, OrderTold, Refused, Status, Ticket
from simulation.broker.order_desk import OrderDesk
from simulation.broker.orders import Working
from simulation.broker.refusals import (
    CANNOT_MODIFY,
    DOES_NOT_MATCH,
    DUPLICATE_ID,
    GROUP_REVISION,
    INVALID,
    REJECTED,
    refused_prices,
)


def modify(desk: OrderDesk, order: Working, ticket: Ticket, now: datetime) -> list[BrokerSays]:
    """Change an order; one that is not transmitted changes nothing at the broker."""
    refusal = _refusal(order, ticket)
    if refusal is not None:
        return [
            Refused(
                client_id=ticket.client_id, order_id=ticket.order_id, code=refusal.code, text=refusal.text
            )
        ]
    if not order.released:
        order.ticket = ticket
        return desk.release(order, now) if ticket.transmit else []
    if not ticket.transmit:
        return []
    order.ticket = replace(
        ticket, oca_group=order.oca_group, oca_type=order.oca_type, parent_id=order.ticket.parent_id
    )
    order.set_prices()
    return desk.try_at_once(order, now) or [OrderTold(order=order.view())]


def _refusal(order: Working, ticket: Ticket) -> Refusal | None:
    if order.status is Status.FILLED:
        return Refusal(code=CANNOT_MODIFY, text="Cannot modify a filled order.")
    if order.status.is_done:
        return Refusal(code=DUPLICATE_ID, text="Duplicate order id")
    if order.status is Status.PENDING_CANCEL:
        return Refusal(code=CANNOT_MODIFY, text="Cannot modify an order that is being cancelled.")
    held = order.ticket
    same = (held.account, held.action, held.contract, held.legs, held.order_type)
    if same != (ticket.account, ticket.action, ticket.contract, ticket.legs, ticket.order_type):
        return Refusal(code=DOES_NOT_MATCH, text="Order being modified does not match original order.")
    if order.released and _changes_group(order, ticket):
        return Refusal(code=GROUP_REVISION, text="OCA group revision is not allowed.")
    if ticket.quantity != int(ticket.quantity) or ticket.quantity <= Decimal(0):
        text = "Error validating request.-'bW' : cause - The size value is not valid"
        return Refusal(code=INVALID, text=text)
    if ticket.quantity <= order.filled:
        text = "Order rejected - reason:The new quantity must exceed what is already filled."
        return Refusal(code=REJECTED, text=text)
    return refused_prices(ticket)


def _changes_group(order: Working, ticket: Ticket) -> bool:
    """Fields left empty are not a change: clients send back what they placed."""
    if ticket.oca_group and ticket.oca_group != order.oca_group:
        return True
    return bool(ticket.oca_type) and bool(order.oca_group) and ticket.oca_type != order.oca_type
