"""An order as it was read from the wire, turned into the ticket the simulated broker takes."""

from decimal import Decimal

from simulation.broker.model import Ticket
from simulation.sample_desk.contracts import Contract
from simulation.tws.fields import MalformedRequest
from simulation.tws.place_order import PlaceOrder

NAMED = frozenset(
    [
        "action",
        "totalQuantity",
        "orderType",
        "lmtPrice",
        "auxPrice",
        "trailStopPrice",
        "trailingPercent",
        "tif",
        "ocaGroup",
        "ocaType",
        "parentId",
        "transmit",
        "whatIf",
        "outsideRth",
        "orderRef",
        "account",
    ]
)


def ticket_of(
    placed: PlaceOrder, *, client_id: int, default_account: str, contract: Contract | None
) -> Ticket:
    """The ticket; fields it does not name go into `extras` when they were set."""
    values = placed.values
    return Ticket(
        client_id=client_id,
        order_id=placed.order_id,
        account=values["account"] or default_account,
        contract=contract,
        legs=placed.legs,
        action=values["action"].upper(),
        quantity=_quantity(placed),
        order_type=values["orderType"].upper(),
        limit_price=placed.decimal("lmtPrice"),
        aux_price=placed.decimal("auxPrice"),
        trail_stop_price=placed.decimal("trailStopPrice"),
        trailing_percent=placed.decimal("trailingPercent"),
        tif=values["tif"].upper() or "DAY",
        oca_group=values["ocaGroup"],
        oca_type=placed.integer("ocaType"),
        parent_id=placed.integer("parentId"),
        transmit=placed.flag("transmit"),
        what_if=placed.flag("whatIf"),
        outside_rth=placed.flag("outsideRth"),
        order_ref=values["orderRef"],
        exchange=placed.query.exchange or "SMART",
        extras=_extras(placed),
    )


def _quantity(placed: PlaceOrder) -> Decimal:
    quantity = placed.decimal("totalQuantity")
    if quantity is None:
        raise MalformedRequest("totalQuantity: expected a number, was empty")
    return quantity


def _extras(placed: PlaceOrder) -> dict[str, str]:
    extras = {name: text for name, text in placed.values.items() if text and name not in NAMED}
    if placed.legs:
        extras |= {"symbol": placed.query.symbol, "currency": placed.query.currency}
    return extras
