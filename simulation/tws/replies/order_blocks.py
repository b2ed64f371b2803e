"""The blocks of an order message of varying length: legs, delta-neutral, scale, conditions."""

from collections.abc import Sequence

from simulation.broker.model import OrderView
from simulation.tws.place_order import SEPARATOR
from simulation.tws.replies import Message
from simulation.tws.replies.order_fields import DEFAULTS, echoed

DELTA_NEUTRAL_OPEN = (
    "deltaNeutralConId",
    "deltaNeutralSettlingFirm",
    "deltaNeutralClearingAccount",
    "deltaNeutralClearingIntent",
    "deltaNeutralOpenClose",
    "deltaNeutralShortSale",
    "deltaNeutralShortSaleSlot",
    "deltaNeutralDesignatedLocation",
)
DELTA_NEUTRAL_COMPLETED = (
    "deltaNeutralConId",
    "deltaNeutralShortSale",
    "deltaNeutralShortSaleSlot",
    "deltaNeutralDesignatedLocation",
)
SCALE = (
    "scalePriceAdjustValue",
    "scalePriceAdjustInterval",
    "scaleProfitOffset",
    "scaleAutoReset",
    "scaleInitPosition",
    "scaleInitFillQty",
    "scaleRandomPercent",
)
PEG_BENCH = (
    "referenceContractId",
    "isPeggedChangeAmountDecrease",
    "peggedChangeAmount",
    "referenceChangeAmount",
    "referenceExchangeId",
)
COMPETING = (
    "minTradeQty",
    "minCompeteSize",
    "competeAgainstBestOffset",
    "midOffsetAtWhole",
    "midOffsetAtHalf",
)


def fields_told(order: OrderView, names: Sequence[str]) -> Message:
    """A run of echoed fields."""
    return [echoed(order, name) for name in names]


def legs(order: OrderView) -> Message:
    """Combination legs, the prices of the legs, and routing parameters, each with its count."""
    ticket = order.ticket
    message = [str(len(ticket.legs))]
    for leg in ticket.legs:
        message += [str(leg.conid), str(leg.ratio), leg.action, leg.exchange, "0", "0", "", "-1"]
    return [*message, *group(order, "orderComboLegs", 1), *group(order, "smartComboRoutingParams", 2)]


def group(order: OrderView, name: str, width: int) -> Message:
    """A repeated group with its count."""
    placed = order.ticket.extras.get(name)
    texts = placed.split(SEPARATOR) if placed is not None else []
    return [str(len(texts) // width), *texts]


def delta_neutral(order: OrderView, names: Sequence[str]) -> Message:
    """What follows the delta-neutral type, which the gateway never leaves empty."""
    return fields_told(order, names)


def scale(order: OrderView) -> Message:
    """The increment, and seven fields more when it is positive."""
    increment = echoed(order, "scalePriceIncrement")
    return [increment, *(fields_told(order, SCALE) if increment else [])]


def hedge(order: OrderView) -> Message:
    """The type, and its parameter when there is a type."""
    kind = echoed(order, "hedgeType")
    return [kind, echoed(order, "hedgeParam")] if kind else [kind]


def delta_neutral_contract(order: OrderView) -> Message:
    """A flag, and three fields when it is set."""
    placed = order.ticket.extras.get("deltaNeutralContract")
    return ["1", *placed.split(SEPARATOR)] if placed else ["0"]


def algo(order: OrderView) -> Message:
    """The strategy, and its parameters when there is one."""
    strategy = echoed(order, "algoStrategy")
    return [strategy, *group(order, "algoParams", 2)] if strategy else [strategy]


def peg_bench(order: OrderView) -> Message:
    """Five fields of pegged-to-benchmark orders only."""
    return fields_told(order, PEG_BENCH) if order.ticket.order_type == "PEG BENCH" else []


def conditions(order: OrderView) -> Message:
    """The conditions as they were placed, and two flags when there are any."""
    extras = order.ticket.extras
    if "conditions" not in extras:
        return ["0"]
    flags = [extras.get(name, DEFAULTS[name]) for name in ("conditionsIgnoreRth", "conditionsCancelOrder")]
    return [extras["conditionCount"], *extras["conditions"].split(SEPARATOR), *flags]
