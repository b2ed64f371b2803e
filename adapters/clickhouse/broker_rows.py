"""Rows of the live views brought to values: orders, positions, figures of accounts."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from trading.errors import InvalidFieldError
from trading.model.broker import AccountValue, BrokerPosition
from trading.model.broker_payloads import order_of
from trading.model.money import ZERO, canonical
from trading.ports.broker_events import AccountFigure, HeldPosition, OrderState

logger = logging.getLogger(__name__)


def order_state_of(row: Mapping[str, Any]) -> OrderState | None:
    """Read the newest word on an order; None where it is none, which the drain has said already."""
    try:
        order = order_of(orjson.loads(row["line"]))
    except InvalidFieldError as error:
        logger.warning("order_unreadable perm_id=%s error=%s", row["perm_id"], error)
        return None
    return OrderState(
        order=order,
        is_working=bool(row["is_working"]),
        first_heard_at=row["first_heard_at"],
        last_heard_at=row["last_heard_at"],
        broker_at=row["broker_at"],
    )


def held_of(row: Mapping[str, Any]) -> HeldPosition:
    """Read a row of core.broker_positions_latest."""
    return HeldPosition(
        position=BrokerPosition(
            account=row["account"],
            conid=row["conid"],
            instrument_id=row["instrument_id"],
            symbol=row["symbol"],
            quantity=_exact(row["quantity"]) or ZERO,
            average_cost=_exact(row["average_cost"]),
        ),
        asked_at=row["asked_at"],
        broker_at=row["broker_at"],
    )


def figure_of(row: Mapping[str, Any]) -> AccountFigure:
    """Read a row of core.account_values_latest."""
    return AccountFigure(
        value=AccountValue(
            account=row["account"], name=row["name"], value=row["value"], currency=row["currency"]
        ),
        amount=_exact(row["amount"]),
        heard_at=row["heard_at"],
        broker_at=row["broker_at"],
    )


def _exact(number: Decimal | None) -> Decimal | None:
    return None if number is None else Decimal(canonical(number))
