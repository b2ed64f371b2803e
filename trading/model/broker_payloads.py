"""Rows of broker answers as the payload of an event, and back: numbers as text, nothing lost.

One place for both directions, so that what the session writes is what everybody reads. Keep out: which
event carries what (BrokerEventKind says it), and the wire.
"""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from trading.errors import InvalidFieldError
from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition
from trading.model.money import canonical

BrokerRow = BrokerPosition | BrokerOrder | AccountValue
ROW_FAULTS = (KeyError, TypeError, ValueError, ArithmeticError)


def payload_of(row: BrokerRow) -> dict[str, Any]:
    """Return the row's fields as JSON values; decimals as canonical text, None as null."""
    return {item.name: _told(getattr(row, item.name)) for item in fields(row)}


def position_of(payload: Mapping[str, Any]) -> BrokerPosition:
    """Read a position; raises InvalidFieldError."""
    try:
        return BrokerPosition(
            account=str(payload["account"]),
            conid=int(payload["conid"]),
            instrument_id=str(payload["instrument_id"]),
            symbol=str(payload["symbol"]),
            quantity=_number(payload["quantity"]),
            average_cost=_number_or_none(payload["average_cost"]),
        )
    except ROW_FAULTS as cause:
        raise _unfit("position", payload) from cause


def order_of(payload: Mapping[str, Any]) -> BrokerOrder:
    """Read an order; raises InvalidFieldError."""
    try:
        return BrokerOrder(
            account=str(payload["account"]),
            perm_id=str(payload["perm_id"]),
            order_ref=str(payload["order_ref"]),
            client_id=int(payload["client_id"]),
            order_id=int(payload["order_id"]),
            parent_perm_id=str(payload["parent_perm_id"]),
            conid=int(payload["conid"]),
            instrument_id=str(payload["instrument_id"]),
            symbol=str(payload["symbol"]),
            side=str(payload["side"]),
            order_type=str(payload["order_type"]),
            quantity=_number(payload["quantity"]),
            limit_price=_number_or_none(payload["limit_price"]),
            stop_price=_number_or_none(payload["stop_price"]),
            time_in_force=str(payload["time_in_force"]),
            oca_group=str(payload["oca_group"]),
            oca_type=int(payload["oca_type"]),
            status=str(payload["status"]),
            filled=_number(payload["filled"]),
            remaining=_number(payload["remaining"]),
            average_price=_number_or_none(payload["average_price"]),
            why_held=str(payload.get("why_held", "")),
        )
    except ROW_FAULTS as cause:
        raise _unfit("order", payload) from cause


def account_value_of(payload: Mapping[str, Any]) -> AccountValue:
    """Read an account's figure; raises InvalidFieldError."""
    try:
        return AccountValue(
            account=str(payload["account"]),
            name=str(payload["name"]),
            value=str(payload["value"]),
            currency=str(payload["currency"]),
        )
    except ROW_FAULTS as cause:
        raise _unfit("account value", payload) from cause


def _told(value: object) -> object:
    return canonical(value) if isinstance(value, Decimal) else value


def _number(value: object) -> Decimal:
    if not isinstance(value, str):
        raise TypeError("a number as text")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("a finite number")
    return number


def _number_or_none(value: object) -> Decimal | None:
    return None if value is None else _number(value)


def _unfit(what: str, payload: object) -> InvalidFieldError:
    return InvalidFieldError("payload", f"the fields of a broker's {what}", payload)
