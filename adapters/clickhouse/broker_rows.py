"""Rows of the live views brought to values: orders, positions, figures of accounts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition
from trading.model.money import ZERO, canonical
from trading.ports.broker_events import AccountFigure, HeldPosition, OrderState


def order_state_of(row: Mapping[str, Any]) -> OrderState:
    """Read a row of core.orders_live."""
    return OrderState(
        order=BrokerOrder(
            account=row["account"],
            perm_id=row["perm_id"],
            order_ref=row["order_ref"],
            client_id=row["client_id"],
            order_id=row["order_id"],
            parent_perm_id=row["parent_perm_id"],
            conid=row["conid"],
            instrument_id=row["instrument_id"],
            symbol=row["symbol"],
            side=row["side"],
            order_type=row["order_type"],
            quantity=_exact(row["quantity"]) or ZERO,
            limit_price=_exact(row["limit_price"]),
            stop_price=_exact(row["stop_price"]),
            time_in_force=row["time_in_force"],
            oca_group=row["oca_group"],
            oca_type=row["oca_type"],
            status=row["status"],
            filled=_exact(row["filled"]) or ZERO,
            remaining=_exact(row["remaining"]) or ZERO,
            average_price=_exact(row["average_price"]),
            why_held=row["why_held"],
        ),
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
