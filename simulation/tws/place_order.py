"""The longest request: an order, read with a cursor in the client's own sequence.

The message has no field names and no length per block: whether the next text is a leg, a hedge parameter or
a condition follows from what was read before and from the server version. So the sequence is data (`STEPS`),
and a wrong or missing step shows as a message that does not end where it should, which is refused rather than
placed: an order with shifted fields would be another order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from simulation.broker.model import Leg
from simulation.broker.questions import ContractQuery
from simulation.tws import versions
from simulation.tws.contracts import contract_query
from simulation.tws.fields import Cursor, MalformedRequest, number, whole

SEPARATOR = "\x1f"  # between the texts of a repeated group kept as one text
CONDITION_WIDTHS = {1: 7, 3: 4, 4: 4, 5: 5, 6: 6, 7: 6}  # texts of a condition by its type, type included
COMBINATION = "BAG"
INFINITE = ("Infinite", "Infinity")  # as the libraries spell it, and as the broker's own client does
ACTIONS = ("BUY", "SELL", "SSHORT", "SLONG")
FLAGS = (
    "transmit",
    "blockOrder",
    "sweepToFill",
    "outsideRth",
    "hidden",
    "allOrNone",
    "overridePercentageConstraints",
    "continuousUpdate",
    "optOutSmartRouting",
    "notHeld",
    "whatIf",
    "solicited",
    "randomizeSize",
    "randomizePrice",
    "isOmsContainer",
    "autoCancelParent",
)
NUMBERS = (
    "totalQuantity",
    "lmtPrice",
    "auxPrice",
    "parentId",
    "origin",
    "displaySize",
    "triggerMethod",
    "shortSaleSlot",
    "exemptCode",
    "ocaType",
    "minQty",
    "volatility",
    "trailStopPrice",
    "trailingPercent",
    "scaleInitLevelSize",
    "cashQty",
    "duration",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """An order as it was read: contract, combination legs, and every field by the API's name."""

    order_id: int
    query: ContractQuery
    legs: tuple[Leg, ...]
    values: dict[str, str]

    def decimal(self, name: str) -> Decimal | None:
        """A number of the order; None when it is unset."""
        return number(name, self.values.get(name, ""))

    def integer(self, name: str) -> int:
        """A whole number of the order; unset is 0."""
        return whole(name, self.values.get(name, ""))

    def flag(self, name: str) -> bool:
        """A yes or no of the order."""
        return self.integer(name) != 0


def _check(values: Mapping[str, str]) -> None:
    """Refuse texts that cannot stand where they stand: the sign of a message that was read shifted."""
    if values["action"].upper() not in ACTIONS:
        raise MalformedRequest(f"action: expected one of {', '.join(ACTIONS)}, was {values['action'][:40]!r}")
    for name in FLAGS:
        if values.get(name, "") not in ("", "0", "1"):
            raise MalformedRequest(f"{name}: expected 0 or 1, was {values[name][:40]!r}")
    for name in NUMBERS:
        number(name, values.get(name, ""))


@dataclass(slots=True)
class _Reading:
    cursor: Cursor
    version: int
    query: ContractQuery
    values: dict[str, str] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)

    def take(self, *names: str) -> None:
        for name in names:
            self.values[name] = self.cursor.text(name)


Step = str | Callable[[_Reading], None]


def read_place_order(cursor: Cursor, version: int) -> PlaceOrder:
    """The order of one message; raises MalformedRequest for one field too many or too few."""
    order_id = cursor.integer("orderId")
    reading = _Reading(cursor, version, contract_query(cursor))
    for step in STEPS:
        if isinstance(step, str):
            reading.take(step)
        else:
            step(reading)
    cursor.end()
    _check(reading.values)
    return PlaceOrder(order_id=order_id, query=reading.query, legs=tuple(reading.legs), values=reading.values)


def _combination(reading: _Reading) -> None:
    if reading.query.sec_type != COMBINATION:
        return
    cursor = reading.cursor
    for _ in range(cursor.count("comboLegs")):
        leg = Leg(
            conid=cursor.integer("leg.conId"),
            ratio=cursor.integer("leg.ratio"),
            action=cursor.text("leg.action"),
            exchange=cursor.text("leg.exchange"),
        )
        cursor.texts("leg", 4)  # openClose, shortSaleSlot, designatedLocation, exemptCode
        reading.legs.append(leg)
    _group(reading, "orderComboLegs", 1)
    _group(reading, "smartComboRoutingParams", 2)


def _group(reading: _Reading, name: str, width: int) -> None:
    """A count and its members, kept as one text."""
    members = reading.cursor.texts(name, width * reading.cursor.count(name))
    if members:
        reading.values[name] = _joined(members)


def _joined(texts: Sequence[str]) -> str:
    if any(SEPARATOR in text for text in texts):
        raise MalformedRequest(f"expected no control characters in {' '.join(texts)[:80]!r}")
    return SEPARATOR.join(texts)


def _delta_neutral(reading: _Reading) -> None:
    if reading.values["deltaNeutralOrderType"]:
        reading.take(
            "deltaNeutralConId",
            "deltaNeutralSettlingFirm",
            "deltaNeutralClearingAccount",
            "deltaNeutralClearingIntent",
            "deltaNeutralOpenClose",
            "deltaNeutralShortSale",
            "deltaNeutralShortSaleSlot",
            "deltaNeutralDesignatedLocation",
        )


def _scale(reading: _Reading) -> None:
    increment = number("scalePriceIncrement", reading.values["scalePriceIncrement"])
    if increment is not None and increment > 0:
        reading.take(
            "scalePriceAdjustValue",
            "scalePriceAdjustInterval",
            "scaleProfitOffset",
            "scaleAutoReset",
            "scaleInitPosition",
            "scaleInitFillQty",
            "scaleRandomPercent",
        )


def _hedge(reading: _Reading) -> None:
    if reading.values["hedgeType"]:
        reading.take("hedgeParam")


def _delta_neutral_contract(reading: _Reading) -> None:
    if reading.cursor.flag("deltaNeutralContract"):
        reading.values["deltaNeutralContract"] = _joined(reading.cursor.texts("deltaNeutralContract", 3))


def _algo(reading: _Reading) -> None:
    if reading.values["algoStrategy"]:
        _group(reading, "algoParams", 2)


def _peg_bench(reading: _Reading) -> None:
    if reading.values["orderType"] in ("PEG BENCH", "PEGBENCH"):
        reading.take(
            "referenceContractId",
            "isPeggedChangeAmountDecrease",
            "peggedChangeAmount",
            "referenceChangeAmount",
            "referenceExchangeId",
        )


def _conditions(reading: _Reading) -> None:
    texts: list[str] = []
    count = reading.cursor.count("conditions")
    for _ in range(count):
        kind = reading.cursor.integer("condType")
        if kind not in CONDITION_WIDTHS:
            raise MalformedRequest(f"condType: expected one of {sorted(CONDITION_WIDTHS)}, was {kind}")
        texts += [str(kind), *reading.cursor.texts("condition", CONDITION_WIDTHS[kind] - 1)]
    if count:
        reading.values["conditionCount"] = str(count)
        reading.values["conditions"] = _joined(texts)
        reading.take("conditionsIgnoreRth", "conditionsCancelOrder")


def _of_version(reading: _Reading) -> None:
    """The trailing fields, each with the version that brought it."""
    for version, name in (
        (versions.DURATION, "duration"),
        (versions.POST_TO_ATS, "postToAts"),
        (versions.AUTO_CANCEL_PARENT, "autoCancelParent"),
        (versions.REJECT_JSON, "advancedErrorOverride"),
        (versions.MANUAL_TIME, "manualOrderTime"),
    ):
        if reading.version >= version:
            reading.take(name)
    if reading.version >= versions.PEG_BEST_MID:
        _competing(reading)


def _competing(reading: _Reading) -> None:
    if reading.query.exchange == "IBKRATS":
        reading.take("minTradeQty")
    order_type = reading.values["orderType"]
    is_mid = order_type in ("PEG MID", "PEGMID")
    if order_type in ("PEG BEST", "PEGBEST"):
        reading.take("minCompeteSize", "competeAgainstBestOffset")
        is_mid = reading.values["competeAgainstBestOffset"] in INFINITE
    if is_mid:
        reading.take("midOffsetAtWhole", "midOffsetAtHalf")


STEPS: tuple[Step, ...] = (
    "secIdType",
    "secId",
    "action",
    "totalQuantity",
    "orderType",
    "lmtPrice",
    "auxPrice",
    "tif",
    "ocaGroup",
    "account",
    "openClose",
    "origin",
    "orderRef",
    "transmit",
    "parentId",
    "blockOrder",
    "sweepToFill",
    "displaySize",
    "triggerMethod",
    "outsideRth",
    "hidden",
    _combination,
    "sharesAllocation",
    "discretionaryAmt",
    "goodAfterTime",
    "goodTillDate",
    "faGroup",
    "faMethod",
    "faPercentage",
    "faProfile",
    "modelCode",
    "shortSaleSlot",
    "designatedLocation",
    "exemptCode",
    "ocaType",
    "rule80A",
    "settlingFirm",
    "allOrNone",
    "minQty",
    "percentOffset",
    "eTradeOnly",
    "firmQuoteOnly",
    "nbboPriceCap",
    "auctionStrategy",
    "startingPrice",
    "stockRefPrice",
    "delta",
    "stockRangeLower",
    "stockRangeUpper",
    "overridePercentageConstraints",
    "volatility",
    "volatilityType",
    "deltaNeutralOrderType",
    "deltaNeutralAuxPrice",
    _delta_neutral,
    "continuousUpdate",
    "referencePriceType",
    "trailStopPrice",
    "trailingPercent",
    "scaleInitLevelSize",
    "scaleSubsLevelSize",
    "scalePriceIncrement",
    _scale,
    "scaleTable",
    "activeStartTime",
    "activeStopTime",
    "hedgeType",
    _hedge,
    "optOutSmartRouting",
    "clearingAccount",
    "clearingIntent",
    "notHeld",
    _delta_neutral_contract,
    "algoStrategy",
    _algo,
    "algoId",
    "whatIf",
    "orderMiscOptions",
    "solicited",
    "randomizeSize",
    "randomizePrice",
    _peg_bench,
    _conditions,
    "adjustedOrderType",
    "triggerPrice",
    "lmtPriceOffset",
    "adjustedStopPrice",
    "adjustedStopLimitPrice",
    "adjustedTrailingAmount",
    "adjustableTrailingUnit",
    "extOperator",
    "softDollarTier.name",
    "softDollarTier.val",
    "cashQty",
    "mifid2DecisionMaker",
    "mifid2DecisionAlgo",
    "mifid2ExecutionTrader",
    "mifid2ExecutionAlgo",
    "dontUseAutoPriceForHedge",
    "isOmsContainer",
    "discretionaryUpToLimitPrice",
    "usePriceMgmtAlgo",
    _of_version,
)
