"""What a broker refuses before it takes an order: one check per line, with the API's code and words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulation.broker.conduct import Refusal
from simulation.broker.model import Ticket
from simulation.broker.orders import ORDER_TYPES, TIMES_IN_FORCE, Working
from simulation.market.rules import rule_of

DUPLICATE_ID = 103
CANNOT_MODIFY = 104
DOES_NOT_MATCH = 105
BAD_INCREMENT = 110
NOT_FOUND = 135
NOT_CANCELLABLE = 161
UNKNOWN_CONTRACT = 200
REJECTED = 201
CANCELLED = 202
INVALID = 321
UNSUPPORTED_TYPE = 387
HELD_UNTIL_OPEN = 399
INVALID_TIF = 10052
CANCEL_NOT_FOUND = 10147
CANCEL_IMPOSSIBLE = 10148
GROUP_REVISION = 10326

QUANTITY_MOST = Decimal(1_000_000)
LEGS_MOST = 8
CENTS = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a check may look at beside the ticket."""

    accounts: Sequence[str]
    parent: Working | None
    is_not_there: bool
    id_is_used_up: bool


Check = Callable[[Ticket, Situation], Refusal | None]


def refused(ticket: Ticket, situation: Situation) -> Refusal | None:
    """The first refusal that applies; None when the order can be taken."""
    for check in CHECKS:
        found = check(ticket, situation)
        if found is not None:
            return found
    return None


def refused_prices(ticket: Ticket) -> Refusal | None:
    """Prices that are missing or no multiple of the market rule's increment."""
    kind = ORDER_TYPES[ticket.order_type]
    if (kind.needs_limit and ticket.limit_price is None) or (kind.needs_aux and ticket.aux_price is None):
        return _invalid("a price is missing")
    if kind.trails and ticket.aux_price is None and ticket.trailing_percent is None:
        return _invalid("trailing amount or percent is missing")
    prices = [ticket.limit_price if kind.has_limit else None, ticket.aux_price if kind.needs_aux else None]
    prices.append(ticket.trail_stop_price if kind.trails else None)
    if any(price is not None and not _conforms(ticket, price) for price in prices):
        text = "The price does not conform to the minimum price variation for this contract."
        return Refusal(code=BAD_INCREMENT, text=text)
    return None


def _conforms(ticket: Ticket, price: Decimal) -> bool:
    cents = price * CENTS
    return cents == int(cents) and rule_of(ticket.contract).allows(int(cents))


def _id(ticket: Ticket, situation: Situation) -> Refusal | None:
    if situation.id_is_used_up and not ticket.what_if:
        return Refusal(code=DUPLICATE_ID, text="Duplicate order id")
    return None


def _account(ticket: Ticket, situation: Situation) -> Refusal | None:
    if ticket.account not in situation.accounts:
        return _invalid("Invalid account code")
    return None


def _contract(ticket: Ticket, situation: Situation) -> Refusal | None:
    if ticket.contract is None and not 2 <= len(ticket.legs) <= LEGS_MOST:
        return _invalid("the combination has no legs")
    if situation.is_not_there:
        text = "No security definition has been found for the request"
        return Refusal(code=UNKNOWN_CONTRACT, text=text)
    if ticket.contract is None:
        return None
    is_index = ticket.contract.settles_in_cash and ticket.contract.asset == "STK"
    if ticket.contract.asset == "CASH" or is_index:
        text = "Order rejected - reason:No trading permission for this product."
        return Refusal(code=REJECTED, text=text)
    return None


def _order_type(ticket: Ticket, situation: Situation) -> Refusal | None:
    if ticket.action not in ("BUY", "SELL"):
        return _invalid("Invalid side")
    if ticket.order_type not in ORDER_TYPES:
        return Refusal(
            code=UNSUPPORTED_TYPE, text="Unsupported order type for this exchange and security type."
        )
    if ticket.contract is None and ticket.order_type not in ("MKT", "LMT"):
        return Refusal(
            code=UNSUPPORTED_TYPE, text="Unsupported order type for this exchange and security type."
        )
    return None


def _quantity(ticket: Ticket, situation: Situation) -> Refusal | None:
    if not 0 < ticket.quantity <= QUANTITY_MOST or ticket.quantity != int(ticket.quantity):
        return _invalid("The size value is not valid")
    return None


def _time_in_force(ticket: Ticket, situation: Situation) -> Refusal | None:
    if ticket.tif not in TIMES_IN_FORCE:
        return Refusal(code=INVALID_TIF, text=f"Invalid time in force: {ticket.tif}")
    if ticket.tif == "GTD" and not ticket.extras.get("goodTillDate"):
        return _invalid("Good till date is missing")
    return None


def _prices(ticket: Ticket, situation: Situation) -> Refusal | None:
    return refused_prices(ticket)


def _parent(ticket: Ticket, situation: Situation) -> Refusal | None:
    if not ticket.parent_id or ticket.what_if:
        return None
    if situation.parent is None or situation.parent.status.is_done:
        return Refusal(code=NOT_FOUND, text=f"Can't find order with id ={ticket.parent_id}")
    return None


def _group(ticket: Ticket, situation: Situation) -> Refusal | None:
    if ticket.oca_type not in (0, 1, 2, 3):
        return _invalid("Invalid OCA type")
    return None


def _invalid(cause: str) -> Refusal:
    return Refusal(code=INVALID, text=f"Error validating request.-'bW' : cause - {cause}")


CHECKS: tuple[Check, ...] = (
    _id,
    _account,
    _contract,
    _order_type,
    _quantity,
    _time_in_force,
    _prices,
    _parent,
    _group,
)
