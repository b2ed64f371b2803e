"""Orders: open order, status, completed order and their ends.

The two long messages are sequences of names, as place_order.py is: a name is told from the order's standing,
else echoed, else the gateway's default; a callable is a block.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from simulation.broker.model import Margin, OrderView
from simulation.tws import versions
from simulation.tws.contracts import COMBINATION_CLASS, WireContract, spelled
from simulation.tws.fields import UNSET_DOUBLE, double, plain
from simulation.tws.replies import Message, order_blocks
from simulation.tws.replies.order_fields import echoed, placed, told_fields

COMBINATION_CONID = "28812380"  # what the API names any combination without a contract of its own
Block = Callable[[OrderView], Message]
Step = str | Block


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """What an open order says beside the order: commission once it is known, margins when only asked."""

    commission: Decimal | None = None
    currency: str = ""
    margin: Margin | None = None
    warning: str = ""


NOTHING_MORE = OrderState()


def open_order(order: OrderView, version: int, state: OrderState = NOTHING_MORE) -> Message:
    """An order that works or has just ended; 136 texts without blocks from version 170 on."""
    contract = _contract(order)
    head = ["5", str(order.ticket.order_id), *_contract_fields(contract, order, no_right="?")]
    return [
        *head,
        *_walk(order, OPEN_BEFORE_STATE),
        *_state(order, state),
        *_walk(order, OPEN_AFTER_STATE),
        *_of_version(order, version),
    ]


def order_status(order: OrderView) -> Message:
    """Where an order stands."""
    ticket = order.ticket
    return [
        "3",
        str(ticket.order_id),
        order.status.value,
        plain(order.filled),
        plain(order.remaining),
        plain(order.average_price),
        str(order.perm_id),
        str(ticket.parent_id),
        plain(order.last_price),
        str(ticket.client_id),
        order.why_held,
        "0",
    ]


def open_orders_end() -> Message:
    """No more open orders."""
    return ["53", "1"]


def order_bound(order: OrderView) -> Message:
    """An order placed by hand is bound to this client, under this number."""
    ticket = order.ticket
    return ["100", str(order.perm_id), str(ticket.client_id), str(ticket.order_id)]


def completed_order(order: OrderView, version: int, completed_at: Callable[[datetime], str]) -> Message:
    """An order that ended today; it carries no order id and no client id."""
    ended = completed_at(order.ended_at) if order.ended_at else ""
    status = order.status.value
    fields = [
        "101",
        *_contract_fields(_contract(order), order, no_right=""),
        *_walk(order, COMPLETED_BEFORE_STATUS),
        status,
        *_walk(order, COMPLETED_AFTER_STATUS),
        ended,
        "Cancelled by Trader" if status == "Cancelled" else status,
    ]
    if version >= versions.PEG_BEST_MID:
        fields += [placed(order, name) for name in order_blocks.COMPETING]
    return fields


def completed_orders_end() -> Message:
    """No more completed orders."""
    return ["102"]


def _contract(order: OrderView) -> WireContract:
    ticket = order.ticket
    if ticket.contract is not None:
        return spelled(ticket.contract)
    return WireContract(
        conid=COMBINATION_CONID,
        symbol=ticket.extras.get("symbol", ""),
        sec_type="BAG",
        expiry="",
        strike="0",
        strike_double="0.0",
        right="",
        multiplier="",
        currency=ticket.extras.get("currency", "USD"),
        local_symbol=ticket.extras.get("symbol", ""),
        trading_class=COMBINATION_CLASS,
    )


def _contract_fields(contract: WireContract, order: OrderView, *, no_right: str) -> Message:
    return [
        contract.conid,
        contract.symbol,
        contract.sec_type,
        contract.expiry,
        contract.strike,
        contract.right or no_right,
        contract.multiplier,
        order.ticket.exchange,
        contract.currency,
        contract.local_symbol,
        contract.trading_class,
    ]


def _walk(order: OrderView, steps: tuple[Step, ...]) -> Message:
    told = told_fields(order)
    message: Message = []
    for step in steps:
        if isinstance(step, str):
            message.append(told[step] if step in told else echoed(order, step))
        else:
            message += step(order)
    return message


def _state(order: OrderView, state: OrderState) -> Message:
    unset = UNSET_DOUBLE if state.margin else ""
    commission = state.margin.commission if state.margin else state.commission
    currency = state.margin.commission_currency if state.margin else state.currency
    return [
        order.status.value,
        *_margins(state.margin),
        double(commission, unset),
        unset,
        unset,
        currency,
        state.warning,
    ]


def _margins(margin: Margin | None) -> Message:
    if margin is None:
        return [UNSET_DOUBLE] * 9
    told = (
        margin.initial_before,
        margin.maintenance_before,
        margin.equity_before,
        margin.initial_change,
        margin.maintenance_change,
        margin.equity_change,
        margin.initial_after,
        margin.maintenance_after,
        margin.equity_after,
    )
    return [double(value) for value in told]


def _of_version(order: OrderView, version: int) -> Message:
    """The trailing fields, each with the version that brought it."""
    message = [
        echoed(order, name)
        for since, name in (
            (versions.DURATION_TOLD, "duration"),
            (versions.POST_TO_ATS, "postToAts"),
            (versions.AUTO_CANCEL_PARENT, "autoCancelParent"),
        )
        if version >= since
    ]
    if version >= versions.PEG_BEST_MID:
        message += order_blocks.fields_told(order, order_blocks.COMPETING)
    return message


TERMS = ("action", "totalQuantity", "orderType", "lmtPrice", "auxPrice", "tif", "ocaGroup", "account")
ADVISOR = ("faGroup", "faMethod", "faPercentage", "faProfile", "modelCode", "goodTillDate", "rule80A")
SHORTING = ("percentOffset", "settlingFirm", "shortSaleSlot", "designatedLocation", "exemptCode")
BOX = ("startingPrice", "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper", "displaySize")
VOLATILITY = ("volatility", "volatilityType", "deltaNeutralOrderType", "deltaNeutralAuxPrice")

OPEN_BEFORE_STATE: tuple[Step, ...] = (
    *TERMS,
    "openClose",
    "origin",
    "orderRef",
    "clientId",
    "permId",
    "outsideRth",
    "hidden",
    "discretionaryAmt",
    "goodAfterTime",
    "deprecatedSharesAllocation",
    *ADVISOR,
    *SHORTING,
    "auctionStrategy",
    *BOX,
    "blockOrder",
    "sweepToFill",
    "allOrNone",
    "minQty",
    "ocaType",
    "eTradeOnly",
    "firmQuoteOnly",
    "nbboPriceCap",
    "parentId",
    "triggerMethod",
    *VOLATILITY,
    partial(order_blocks.delta_neutral, names=order_blocks.DELTA_NEUTRAL_OPEN),
    "continuousUpdate",
    "referencePriceType",
    "trailStopPrice",
    "trailingPercent",
    "basisPoints",
    "basisPointsType",
    "comboLegsDescrip",
    order_blocks.legs,
    "scaleInitLevelSize",
    "scaleSubsLevelSize",
    order_blocks.scale,
    order_blocks.hedge,
    "optOutSmartRouting",
    "clearingAccount",
    "clearingIntent",
    "notHeld",
    order_blocks.delta_neutral_contract,
    order_blocks.algo,
    "solicited",
    "whatIf",
)
OPEN_AFTER_STATE: tuple[Step, ...] = (
    "randomizeSize",
    "randomizePrice",
    order_blocks.peg_bench,
    order_blocks.conditions,
    "adjustedOrderType",
    "triggerPrice",
    "adjusted.trailStopPrice",
    "lmtPriceOffset",
    "adjustedStopPrice",
    "adjustedStopLimitPrice",
    "adjustedTrailingAmount",
    "adjustableTrailingUnit",
    "softDollarTier.name",
    "softDollarTier.val",
    "softDollarTier.displayName",
    "cashQty",
    "dontUseAutoPriceForHedge",
    "isOmsContainer",
    "discretionaryUpToLimitPrice",
    "usePriceMgmtAlgo",
)
COMPLETED_BEFORE_STATUS: tuple[Step, ...] = (
    *TERMS,
    "openClose",
    "origin",
    "orderRef",
    "permId",
    "outsideRth",
    "hidden",
    "discretionaryAmt",
    "goodAfterTime",
    *ADVISOR,
    *SHORTING,
    *BOX,
    "sweepToFill",
    "allOrNone",
    "minQty",
    "ocaType",
    "triggerMethod",
    *VOLATILITY,
    partial(order_blocks.delta_neutral, names=order_blocks.DELTA_NEUTRAL_COMPLETED),
    "continuousUpdate",
    "referencePriceType",
    "trailStopPrice",
    "trailingPercent",
    "comboLegsDescrip",
    order_blocks.legs,
    "scaleInitLevelSize",
    "scaleSubsLevelSize",
    order_blocks.scale,
    order_blocks.hedge,
    "clearingAccount",
    "clearingIntent",
    "notHeld",
    order_blocks.delta_neutral_contract,
    order_blocks.algo,
    "solicited",
)
COMPLETED_AFTER_STATUS: tuple[Step, ...] = (
    "randomizeSize",
    "randomizePrice",
    order_blocks.peg_bench,
    order_blocks.conditions,
    "adjusted.trailStopPrice",
    "lmtPriceOffset",
    "cashQty",
    "dontUseAutoPriceForHedge",
    "isOmsContainer",
    "autoCancelDate",
    "filledQuantity",
    "refFuturesConId",
    "autoCancelParent",
    "shareholder",
    "imbalanceOnly",
    "routeMarketableToBbo",
    "parentPermId",
)
