"""The fields of an order as the gateway tells them back, by the API's name.

An order comes back as it was placed, but for what the client left out: there the gateway puts defaults of its
own, which are those of the recorded orders (`None` for "no delta-neutral order" among them, a word that the
client reads as "set": eight fields follow it).
"""

from decimal import Decimal

from simulation.broker.model import OrderView
from simulation.tws.fields import UNSET_DOUBLE, UNSET_INT, double, flag, plain
from simulation.tws.place_order import INFINITE

SAYS_NOTHING = frozenset({"", "0", "0.0", "-1", UNSET_INT, UNSET_DOUBLE})
NOT_ECHOED = frozenset({"openClose", "sharesAllocation"})  # a client's "O" comes back empty
NO_TYPE = "None"
INFINITE_TOLD = "Infinity"  # Java's word

DEFAULTS = {
    "adjustableTrailingUnit": "0",
    "adjustedOrderType": NO_TYPE,
    "adjustedStopLimitPrice": UNSET_DOUBLE,
    "adjustedStopPrice": UNSET_DOUBLE,
    "adjustedTrailingAmount": UNSET_DOUBLE,
    "allOrNone": "0",
    "auctionStrategy": "0",
    "autoCancelParent": "0",
    "blockOrder": "0",
    "cashQty": "0",
    "clearingIntent": "IB",
    "competeAgainstBestOffset": "0.02",
    "conditionsCancelOrder": "0",
    "conditionsIgnoreRth": "0",
    "continuousUpdate": "0",
    "deltaNeutralConId": "0",
    "deltaNeutralOpenClose": "?",
    "deltaNeutralOrderType": NO_TYPE,
    "deltaNeutralShortSale": "0",
    "deltaNeutralShortSaleSlot": "0",
    "discretionaryAmt": "0",
    "discretionaryUpToLimitPrice": "0",
    "displaySize": UNSET_INT,
    "dontUseAutoPriceForHedge": "1",
    "eTradeOnly": "0",
    "exemptCode": "-1",
    "firmQuoteOnly": "0",
    "hidden": "0",
    "imbalanceOnly": "0",
    "isOmsContainer": "0",
    "isPeggedChangeAmountDecrease": "0",
    "lmtPriceOffset": UNSET_DOUBLE,
    "minCompeteSize": "100",
    "notHeld": "0",
    "optOutSmartRouting": "0",
    "origin": "0",
    "peggedChangeAmount": "0",
    "randomizePrice": "0",
    "randomizeSize": "0",
    "refFuturesConId": UNSET_INT,
    "referenceChangeAmount": "0",
    "referenceContractId": "0",
    "referencePriceType": "0",
    "routeMarketableToBbo": "0",
    "scaleInitLevelSize": UNSET_INT,
    "scaleSubsLevelSize": UNSET_INT,
    "shareholder": "Not an insider or substantial shareholder",
    "shortSaleSlot": "0",
    "solicited": "0",
    "sweepToFill": "0",
    "triggerMethod": "0",
    "triggerPrice": UNSET_DOUBLE,
    "usePriceMgmtAlgo": "0",
    "volatilityType": "0",
}
OCA_TYPE_DEFAULT = 3


def told_fields(order: OrderView) -> dict[str, str]:
    """Every field that the ticket or the order's standing decides; the rest is echoed or a default."""
    ticket = order.ticket
    return {
        "action": ticket.action,
        "totalQuantity": plain(ticket.quantity),
        "orderType": ticket.order_type,
        "lmtPrice": double(ticket.limit_price, "0.0"),
        "auxPrice": double(ticket.aux_price, "0.0"),
        "tif": ticket.tif,
        "ocaGroup": ticket.oca_group,
        "account": ticket.account,
        "orderRef": ticket.order_ref,
        "clientId": str(ticket.client_id),
        "permId": str(order.perm_id),
        "outsideRth": flag(ticket.outside_rth),
        "deprecatedSharesAllocation": f"{order.perm_id}.0/{ticket.account}/{plain(ticket.quantity)}",
        "ocaType": str(ticket.oca_type or OCA_TYPE_DEFAULT),
        "parentId": str(ticket.parent_id),
        "trailStopPrice": double(ticket.trail_stop_price, ""),
        "adjusted.trailStopPrice": double(ticket.trail_stop_price),
        "trailingPercent": double(ticket.trailing_percent, ""),
        "whatIf": flag(ticket.what_if),
        "filledQuantity": plain(order.filled),
        "parentPermId": str(order.parent_perm_id or 9223372036854775807),
        "comboLegsDescrip": ",".join(f"{leg.conid}|{_signed(leg.ratio, leg.action)}" for leg in ticket.legs),
    }


def placed(order: OrderView, name: str) -> str:
    """A field as the client placed it; empty where it said nothing, or nothing that is told back."""
    text = "" if name in NOT_ECHOED else order.ticket.extras.get(name, "")
    return INFINITE_TOLD if text in INFINITE else text


def echoed(order: OrderView, name: str) -> str:
    """A field as the client placed it, or the gateway's default where the client said nothing."""
    text = placed(order, name)
    return DEFAULTS.get(name, "") if text in SAYS_NOTHING else text


def _signed(ratio: int, action: str) -> str:
    return plain(Decimal(ratio if action == "BUY" else -ratio))
