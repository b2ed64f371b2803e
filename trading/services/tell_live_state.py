"""What drained entries say of now, told to the live state: what is held, which orders work.

Only complete answers replace; a broken one, or one with a row that cannot be read, changes nothing. It comes
after the warehouse: what is lost here is told again by the next answer.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trading.errors import InvalidFieldError, LiveStateUnavailableError
from trading.model.broker import (
    BrokerEventKind,
    BrokerOrder,
    BrokerPosition,
    Completeness,
    OutboxEntry,
    Question,
)
from trading.model.broker_payloads import order_of, position_of
from trading.model.times import from_iso
from trading.ports.live_state import LiveState
from trading.services.refuse_entries import answer_accounts, answer_rows

logger = logging.getLogger(__name__)

OrderName = tuple[str, str, str]


@dataclass(slots=True)
class _News:
    """The newest word of a batch on each thing."""

    positions: dict[str, tuple[datetime, list[BrokerPosition]]] = field(default_factory=dict)
    answers: dict[str, tuple[datetime, list[BrokerOrder]]] = field(default_factory=dict)
    orders: dict[OrderName, BrokerOrder] = field(default_factory=dict)


def tell_live_state(live_state: LiveState, entries: Sequence[OutboxEntry]) -> bool:
    """Tell the newest word of each account and order; says whether the live state heard it."""
    news = _News()
    for entry in entries:
        try:
            _hear(news, entry)
        except InvalidFieldError as error:
            logger.warning("live_state_not_told entry=%s error=%s", entry.entry_id, error)
    try:
        _tell(live_state, news)
    except (LiveStateUnavailableError, InvalidFieldError) as error:
        logger.warning("live_state_not_told error=%s", error)
        return False
    return True


def is_complete(entry: OutboxEntry, question: Question) -> bool:
    """Say whether an entry is a complete answer to this question."""
    told = entry.event.payload
    return (
        entry.event.kind is BrokerEventKind.ANSWER
        and told.get("question") == question
        and told.get("completeness") == Completeness.COMPLETE
    )


def _hear(news: _News, entry: OutboxEntry) -> None:
    if entry.event.kind is BrokerEventKind.ORDER:
        order = order_of(entry.event.payload)
        news.orders[_name(order)] = order
    elif is_complete(entry, Question.POSITIONS):
        held = [position_of(row) for row in answer_rows(entry)]
        for account in answer_accounts(entry, [row.account for row in held]):
            own = [row for row in held if row.account == account]
            news.positions[account] = (_asked_at(entry), own)
    elif is_complete(entry, Question.OPEN_ORDERS):
        told = [order_of(row) for row in answer_rows(entry)]
        for account in answer_accounts(entry, [row.account for row in told]):
            news.answers[account] = (_asked_at(entry), [row for row in told if row.account == account])
            news.orders = {name: order for name, order in news.orders.items() if order.account != account}


def _tell(live_state: LiveState, news: _News) -> None:
    for account, (asked_at, positions) in news.positions.items():
        live_state.put_open_positions(account, positions, asked_at)
    for account, (asked_at, orders) in news.answers.items():
        live_state.put_working_orders(account, orders, asked_at)
    for order in news.orders.values():
        live_state.put_order(order)


def _asked_at(entry: OutboxEntry) -> datetime:
    told = entry.event.payload.get("asked_at")
    return from_iso("asked_at", told) if told else entry.event.heard_at


def _name(order: BrokerOrder) -> OrderName:
    return order.account, order.order_ref, order.perm_id
