"""Kraken Futures over REST: open positions and open orders, each in one answer.

Both end points have no pages; an answer of more than ROWS_MAX rows is not believed. Errors come with status
200 and ``result: error``. A short position is a negative quantity; ``price`` is the venue's average of the
openings, which is not our FIFO basis: it is kept, and never compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from adapters.kraken.client import KrakenFills
from adapters.kraken.normalize import SIDES
from adapters.kraken.symbols import instrument_of
from adapters.venue.holdings import (
    Rows,
    VenueAnswer,
    VenueOrder,
    VenuePosition,
    asked,
    average_price,
    listed,
    not_negative,
)
from adapters.venue.payload import JsonObject, first_present, text_field
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.money import parse_decimal
from trading.model.times import from_iso

POSITIONS_PATH = "/derivatives/api/v3/openpositions"
ORDERS_PATH = "/derivatives/api/v3/openorders"
ROWS_MAX = 10_000  # the venue lists some hundred contracts, and allows an account as many orders
SIGNS = {"long": Decimal(1), "short": Decimal(-1)}
OPEN_STATUSES = frozenset({"untouched", "partiallyfilled"})
FINAL_STATUSES = frozenset({"filled", "cancelled", "canceled", "rejected"})


@dataclass(slots=True)
class KrakenHoldings:
    """Reads what the account of `client` holds and has in the market; no answer is a Failed one."""

    client: KrakenFills

    def positions(self) -> VenueAnswer[VenuePosition]:
        """The open positions."""
        rows: Rows[VenuePosition] = Rows(Venue.KRAKEN, self.client.account)

        def walk() -> Iterator[bytes]:
            body = self.client.get(POSITIONS_PATH)
            rows.read(body, position_rows, read_position)
            yield body

        return asked(rows, self.client.clock, walk)

    def open_orders(self) -> VenueAnswer[VenueOrder]:
        """The orders that may still fill."""
        rows: Rows[VenueOrder] = Rows(Venue.KRAKEN, self.client.account)

        def walk() -> Iterator[bytes]:
            body = self.client.get(ORDERS_PATH)
            rows.read(body, order_rows, read_order)
            yield body

        return asked(rows, self.client.clock, walk)


def position_rows(answer: JsonObject) -> Sequence[object]:
    """The rows of an answer about positions; refuses an error, and what says nothing about them."""
    return _rows(answer, "openPositions")


def order_rows(answer: JsonObject) -> Sequence[object]:
    """The rows of an answer about open orders."""
    return _rows(answer, "openOrders")


def read_position(row: JsonObject, raw: str, account: str) -> VenuePosition | None:
    """Read one position; None where nothing is held. Raises InvalidFieldError naming the field."""
    instrument = instrument_of(_required(row, "symbol"))
    side = row.get("side")
    sign = SIGNS.get(side.strip().lower()) if isinstance(side, str) else None
    if sign is None:
        raise InvalidFieldError("side", "long or short", side)
    size = not_negative("size", row.get("size"))
    if size == 0:
        return None
    price = average_price("price", row.get("price"))
    if price is not None and price <= 0:
        raise InvalidFieldError("price", "a positive number", row.get("price"))
    return VenuePosition(
        account=account, instrument=instrument, quantity=sign * size, average_price=price, raw=raw
    )


def read_order(row: JsonObject, raw: str, account: str) -> VenueOrder | None:
    """Read one order; None where it has come to its end. Raises InvalidFieldError naming the field."""
    status = _required(row, "status")
    if status.lower() in FINAL_STATUSES:
        return None
    if status.lower() not in OPEN_STATUSES:
        raise InvalidFieldError("status", "untouched or partiallyFilled", status)
    remaining = not_negative("unfilledSize", row.get("unfilledSize"))
    if remaining == 0:
        raise InvalidFieldError("unfilledSize", "a positive number", row.get("unfilledSize"))
    side = row.get("side")
    if not isinstance(side, str) or side.strip().lower() not in SIDES:
        raise InvalidFieldError("side", "buy or sell", side)
    reduce_only = row.get("reduceOnly", False)
    if not isinstance(reduce_only, bool):
        raise InvalidFieldError("reduceOnly", "true or false", reduce_only)
    return VenueOrder(
        account=account,
        order_id=_required(row, "order_id"),
        order_ref=text_field(row, "cli_ord_id", "cliOrdId"),
        instrument=instrument_of(_required(row, "symbol")),
        side=SIDES[side.strip().lower()],
        order_type=_required(row, "orderType"),
        remaining=remaining,
        filled=not_negative("filledSize", row.get("filledSize", 0)),
        limit_price=_price(row, "limitPrice"),
        stop_price=_price(row, "stopPrice"),
        status=status,
        reduce_only=reduce_only,
        placed_at=from_iso("receivedTime", _required(row, "receivedTime")),
        raw=raw,
    )


def _rows(answer: JsonObject, name: str) -> Sequence[object]:
    if answer.get("result") != "success":
        _, said = first_present(answer, "error", "errors", "result")
        raise InvalidFieldError("result", "success", said)
    rows = listed(answer, name)
    if len(rows) > ROWS_MAX:
        raise InvalidFieldError(name, f"at most {ROWS_MAX} rows", len(rows))
    return rows


def _required(row: JsonObject, name: str) -> str:
    value = text_field(row, name)
    if not value:
        raise InvalidFieldError(name, "a text", row.get(name))
    return value


def _price(row: JsonObject, name: str) -> Decimal | None:
    value = row.get(name)
    if value is None:
        return None
    price = parse_decimal(name, value)
    if price <= 0:
        raise InvalidFieldError(name, "a positive number", value)
    return price
