"""An order as a command asks for it, read and checked: what may be placed at all.

What can lose money here: a share that is ordered. This platform holds and orders options and futures; shares
are data. The type refuses them (only the kinds of ORDERABLE exist here), and the name does (the instrument
must be spelled as an option or a future), and before the first order in a contract the broker itself is asked
what it is (`placing`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_conid
from trading.model.money import parse_decimal

ORDERABLE = {"OPT": "OPT:", "FOP": "OPT:", "FUT": "FUT:"}  # the API's type, and how its instrument is named
SIDES = frozenset({"BUY", "SELL"})
NEEDS_LIMIT = frozenset({"LMT", "STP LMT", "LIT", "LOC", "REL"})
NEEDS_STOP = frozenset({"STP", "STP LMT", "MIT", "LIT"})
NEEDS_TRAIL = frozenset({"TRAIL", "TRAIL LIMIT"})
ORDER_TYPES = NEEDS_LIMIT | NEEDS_STOP | NEEDS_TRAIL | {"MKT", "MOC", "MTL", "MIDPRICE"}
VALIDITIES = frozenset({"DAY", "GTC", "IOC", "FOK", "OPG", "GTD", "DTC"})
OCA_TYPES = frozenset({0, 1, 2})  # never 3: it reduces without blocking, so both members can fill
TEXT_CHARS_MAX = 128
KEYS = frozenset(
    {
        "account", "conid", "sec_type", "instrument_id", "exchange", "side", "quantity", "order_type",
        "limit_price", "stop_price", "trail_stop_price", "trailing_percent", "time_in_force", "good_till",
        "oca_group", "oca_type", "parent_ref", "transmit", "outside_rth", "trigger_method", "order_ref",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """A checked order; prices in the contract's currency, None where its type has none."""

    account: str
    conid: int
    sec_type: str
    instrument_id: str
    exchange: str
    side: str
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_stop_price: Decimal | None
    trailing_percent: Decimal | None
    time_in_force: str
    good_till: str
    oca_group: str
    oca_type: int
    parent_ref: str
    transmit: bool
    outside_rth: bool
    trigger_method: int
    order_ref: str


def order_request(payload: Mapping[str, Any]) -> OrderRequest:
    """Read a PLACE command's payload; raises InvalidFieldError naming the field."""
    for name in payload:
        if name not in KEYS:
            raise InvalidFieldError(str(name), "no field of an order", payload[name])
    request = OrderRequest(
        account=_text(payload, "account"),
        conid=_conid(payload),
        sec_type=_one_of(payload, "sec_type", frozenset(ORDERABLE)),
        instrument_id=_text(payload, "instrument_id"),
        exchange=_text(payload, "exchange", "SMART"),
        side=_one_of(payload, "side", SIDES),
        quantity=_quantity(payload),
        order_type=_one_of(payload, "order_type", ORDER_TYPES),
        limit_price=_number(payload, "limit_price"),
        stop_price=_number(payload, "stop_price"),
        trail_stop_price=_number(payload, "trail_stop_price"),
        trailing_percent=_number(payload, "trailing_percent"),
        time_in_force=_one_of(payload, "time_in_force", VALIDITIES, "DAY"),
        good_till=_text(payload, "good_till", ""),
        oca_group=_text(payload, "oca_group", ""),
        oca_type=_whole(payload, "oca_type", 0),
        parent_ref=_text(payload, "parent_ref", ""),
        transmit=_flag(payload, "transmit", default=True),
        outside_rth=_flag(payload, "outside_rth", default=False),
        trigger_method=_whole(payload, "trigger_method", 0),
        order_ref=_text(payload, "order_ref"),
    )
    _check(request)
    return request


def _check(request: OrderRequest) -> None:
    if not request.instrument_id.startswith(ORDERABLE[request.sec_type]):
        expected = f"an instrument named {ORDERABLE[request.sec_type]}…"
        raise InvalidFieldError("instrument_id", expected, request.instrument_id)
    needs = (
        ("limit_price", request.limit_price, NEEDS_LIMIT),
        ("stop_price", request.stop_price, NEEDS_STOP),
    )
    for name, value, types in needs:
        if (value is None) != (request.order_type not in types) and request.order_type not in NEEDS_TRAIL:
            wanted = "a price" if request.order_type in types else "no price"
            raise InvalidFieldError(name, f"{wanted} for {request.order_type}", value)
    if request.order_type in NEEDS_TRAIL and (request.stop_price is None) == (
        request.trailing_percent is None
    ):
        raise InvalidFieldError("trailing_percent", "either an amount (stop_price) or a percentage", None)
    if request.oca_type not in OCA_TYPES or bool(request.oca_group) != bool(request.oca_type):
        raise InvalidFieldError("oca_type", "1 or 2 with a group, 0 without", request.oca_type)


def _text(payload: Mapping[str, Any], name: str, absent: str | None = None) -> str:
    value = payload.get(name, absent)
    if not isinstance(value, str) or len(value) > TEXT_CHARS_MAX or not value.isascii() or "\0" in value:
        raise InvalidFieldError(name, f"a text of at most {TEXT_CHARS_MAX} plain characters", value)
    if absent is None and not value.strip():
        raise InvalidFieldError(name, "a text that is not blank", value)
    return value


def _one_of(payload: Mapping[str, Any], name: str, allowed: frozenset[str], absent: str | None = None) -> str:
    value = _text(payload, name, absent)
    if value not in allowed:
        raise InvalidFieldError(name, f"one of {', '.join(sorted(allowed))}", value)
    return value


def _conid(payload: Mapping[str, Any]) -> int:
    conid = parse_conid(payload.get("conid"))
    if conid is None:
        raise InvalidFieldError("conid", "the broker's number of the contract", payload.get("conid"))
    return conid


def _quantity(payload: Mapping[str, Any]) -> Decimal:
    quantity = parse_decimal("quantity", payload.get("quantity"))
    if quantity <= 0 or quantity != quantity.to_integral_value():
        raise InvalidFieldError("quantity", "a whole number of contracts above zero", payload["quantity"])
    return quantity


def _number(payload: Mapping[str, Any], name: str) -> Decimal | None:
    value = payload.get(name)
    return None if value is None else parse_decimal(name, value)


def _whole(payload: Mapping[str, Any], name: str, absent: int) -> int:
    value = payload.get(name, absent)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidFieldError(name, "a whole number of zero or more", value)
    return value


def _flag(payload: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = payload.get(name, default)
    if not isinstance(value, bool):
        raise InvalidFieldError(name, "true or false", value)
    return value
