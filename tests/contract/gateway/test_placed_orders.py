"""Every kind of order as the library writes it, read by the gateway and told back, read by the library.

The message has no names: a block read wrongly shifts everything behind it, so what comes back must be what
was placed, field by field, at every server version.
"""

import math
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from gateway_client import library, read, written
from small_broker import ACCOUNT, OPTION

from simulation.broker.model import Margin, OrderView, Status, Ticket
from simulation.tws.fields import Cursor, MalformedRequest
from simulation.tws.place_order import PlaceOrder, read_place_order
from simulation.tws.replies import orders
from simulation.tws.tickets import ticket_of
from simulation.tws.versions import SUPPORTED

VERSIONS = (157, 158, 160, 162, *SUPPORTED)
IB = library()


def conditions() -> list[Any]:
    return [
        IB.PriceCondition(price=670.5, conId=756733, exch="ARCA", triggerMethod=2),
        IB.TimeCondition(isMore=False, time="20261113 15:00:00 US/Eastern"),
        IB.MarginCondition(percent=30, conjunction="o"),
        IB.ExecutionCondition(secType="STK", exch="SMART", symbol="SPY"),
        IB.VolumeCondition(volume=1000, conId=756733, exch="ARCA"),
        IB.PercentChangeCondition(changePercent=2.5, conId=756733, exch="ARCA"),
    ]


def order(kind: str, **values: Any) -> Any:
    terms = {"action": "BUY", "totalQuantity": 3, "account": ACCOUNT, "orderType": kind}
    return IB.Order(**{**terms, **values})


ORDERS = {
    "market": order("MKT"),
    "limit": order("LMT", lmtPrice=1.25, tif="GTC", orderRef="zero_dte|0001", outsideRth=True),
    "stop": order("STP", auxPrice=0.8, triggerMethod=2),
    "stop limit": order("STP LMT", auxPrice=0.8, lmtPrice=0.75),
    "trail by amount": order("TRAIL", auxPrice=0.1, trailStopPrice=1.1),
    "trail by percent": order("TRAIL", trailingPercent=5.0, trailStopPrice=1.1),
    "trail limit": order("TRAIL LIMIT", auxPrice=0.1, trailStopPrice=1.1, lmtPriceOffset=0.05),
    "on close": order("MOC"),
    "child": order("LMT", lmtPrice=2.5, parentId=11, transmit=False, ocaGroup="g", ocaType=1),
    "adaptive": order(
        "LMT",
        lmtPrice=1.2,
        algoStrategy="Adaptive",
        algoParams=[IB.TagValue("adaptivePriority", "Urgent"), IB.TagValue("x", "1")],
    ),
    "conditional": order(
        "LMT", lmtPrice=1.2, conditions=conditions(), conditionsIgnoreRth=True, conditionsCancelOrder=True
    ),
    "scaled": order(
        "LMT",
        lmtPrice=1.2,
        scaleInitLevelSize=2,
        scaleSubsLevelSize=1,
        scalePriceIncrement=0.05,
        scalePriceAdjustValue=0.01,
        scalePriceAdjustInterval=60,
        scaleProfitOffset=0.2,
        scaleAutoReset=True,
        scaleInitPosition=4,
        scaleInitFillQty=1,
        scaleRandomPercent=True,
    ),
    "hedged": order("LMT", lmtPrice=1.2, hedgeType="D", hedgeParam="0.5", modelCode="m"),
    "delta neutral": order(
        "VOL",
        volatility=0.2,
        volatilityType=2,
        deltaNeutralOrderType="MKT",
        deltaNeutralConId=756733,
        deltaNeutralSettlingFirm="s",
        deltaNeutralClearingAccount="c",
        deltaNeutralClearingIntent="i",
        deltaNeutralOpenClose="O",
        deltaNeutralShortSale=True,
        deltaNeutralShortSaleSlot=1,
        deltaNeutralDesignatedLocation="l",
    ),
    "pegged to benchmark": order(
        "PEG BENCH",
        referenceContractId=756733,
        isPeggedChangeAmountDecrease=True,
        peggedChangeAmount=0.5,
        referenceChangeAmount=0.25,
        referenceExchangeId="ARCA",
    ),
    "pegged to middle": order("PEG MID", midOffsetAtWhole=0.01, midOffsetAtHalf=0.02),
    "pegged to best": order(
        "PEG BEST",
        minCompeteSize=200,
        competeAgainstBestOffset=math.inf,
        midOffsetAtWhole=0.01,
        midOffsetAtHalf=0.02,
    ),
    "with the late fields": order(
        "LMT", lmtPrice=1.2, duration=60, postToAts=5, autoCancelParent=True, advancedErrorOverride="8229"
    ),
    "what if": order("LMT", lmtPrice=1.2, whatIf=True),
    "all or none": order("LMT", lmtPrice=1.2, allOrNone=True, minQty=2, hidden=True, sweepToFill=True),
    "adjusted": order(
        "STP",
        auxPrice=0.8,
        adjustedOrderType="TRAIL",
        triggerPrice=1.5,
        adjustedStopPrice=1.0,
        adjustedStopLimitPrice=0.9,
        adjustedTrailingAmount=0.3,
        adjustableTrailingUnit=1,
    ),
}
MARGINS = {"initMargin": "initial", "maintMargin": "maintenance", "equityWithLoan": "equity"}
WHENS = ("before", "change", "after")
NOT_TOLD_BACK = {  # the API has no place for them in an open order, or the gateway decides them
    "openClose", "orderId", "clientId", "permId", "transmit", "advancedErrorOverride", "manualOrderTime",
    "whatIf", "softDollarTier", "overridePercentageConstraints", "algoId",
}  # fmt: skip
SINCE = {  # field -> the version from which an open order carries it
    "duration": 159, "postToAts": 160, "autoCancelParent": 162, "minTradeQty": 170, "minCompeteSize": 170,
    "competeAgainstBestOffset": 170, "midOffsetAtWhole": 170, "midOffsetAtHalf": 170,
}  # fmt: skip


def option() -> Any:
    return IB.Option("SPY", "20261113", 670, "C", "SMART", conId=OPTION.conid, currency="USD")


def placed(version: int, contract: Any, asked: Any) -> PlaceOrder:
    """What the codec reads from the library's message."""
    texts = written(version, "placeOrder", 12, contract, asked)
    return read_place_order(Cursor(texts[1:]), version)


def told_back(version: int, contract: Any, asked: Any, held: Any) -> Any:
    """The library's order object out of our open order."""
    ticket = ticket_of(placed(version, contract, asked), client_id=7, default_account=ACCOUNT, contract=held)
    view = view_of(ticket)
    completed = orders.completed_order(view, version, lambda at: "20261113 10:00:00 US/Eastern")
    read(completed, version)
    return read(orders.open_order(view, version), version)[1]


def view_of(ticket: Ticket) -> OrderView:
    """The order as it works."""
    return OrderView(
        ticket=ticket,
        perm_id=600,
        status=Status.SUBMITTED,
        filled=Decimal(0),
        remaining=ticket.quantity,
        average_price=Decimal(0),
        last_price=Decimal(0),
        placed_at=datetime(2026, 11, 13, 15, tzinfo=UTC),
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ORDERS)
def test_an_order_comes_back_as_it_was_placed(name: str, version: int) -> None:
    """All that the client set is in the open order, whatever blocks the order has."""
    asked = ORDERS[name]
    _, _, back, _ = told_back(version, option(), asked, OPTION)
    untouched = IB.Order()
    for each in fields(asked):
        value = getattr(asked, each.name)
        is_set = value not in (getattr(untouched, each.name), None)
        if is_set and each.name not in NOT_TOLD_BACK and version >= SINCE.get(each.name, 0):
            assert _plain(getattr(back, each.name)) == _plain(value), each.name


@pytest.mark.parametrize("version", VERSIONS)
def test_a_combination_comes_back_with_its_legs(version: int) -> None:
    """Legs, leg prices and routing parameters are read, and the legs told back."""
    legs = [
        IB.ComboLeg(conId=OPTION.conid, ratio=1, action="BUY", exchange="SMART"),
        IB.ComboLeg(conId=99, ratio=2, action="SELL", exchange="SMART"),
    ]
    bag = IB.Bag(symbol="SPY", exchange="SMART", currency="USD", comboLegs=legs)
    asked = order(
        "LMT",
        lmtPrice=-0.35,
        smartComboRoutingParams=[IB.TagValue("NonGuaranteed", "1")],
        orderComboLegs=[IB.OrderComboLeg(price=1.0), IB.OrderComboLeg(price=0.65)],
    )
    request = placed(version, bag, asked)
    assert [(leg.conid, leg.ratio, leg.action) for leg in request.legs] == [
        (OPTION.conid, 1, "BUY"),
        (99, 2, "SELL"),
    ]
    _, contract, back, _ = told_back(version, bag, asked, None)
    assert contract.secType == "BAG"
    assert [(leg.conId, leg.ratio, leg.action) for leg in contract.comboLegs] == [
        (OPTION.conid, 1, "BUY"),
        (99, 2, "SELL"),
    ]
    assert back.lmtPrice == -0.35
    assert [leg.price for leg in back.orderComboLegs] == [1.0, 0.65]
    assert [(each.tag, each.value) for each in back.smartComboRoutingParams] == [("NonGuaranteed", "1")]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_contract_with_a_delta_neutral_part_is_read_to_its_end(version: int) -> None:
    """Three fields more in the middle do not shift what follows."""
    contract = option()
    contract.deltaNeutralContract = IB.DeltaNeutralContract(conId=756733, delta=0.5, price=670.0)
    _, told, back, _ = told_back(version, contract, ORDERS["adaptive"], OPTION)
    assert told.deltaNeutralContract.conId == 756733
    assert back.algoStrategy == "Adaptive"


def test_every_margin_is_read_under_its_own_name() -> None:
    """Nine texts in the API's order: initial, maintenance, equity; before, change, after."""
    names = [f"{what}{when}" for when in ("Before", "Change", "After") for what in MARGINS]
    told = {name: Decimal(place) for place, name in enumerate(names, 1)}
    margin = Margin(
        **{f"{MARGINS[what]}_{when}": told[f"{what}{when.title()}"] for what in MARGINS for when in WHENS},
        commission=Decimal("0.65"),
    )
    ticket = ticket_of(
        placed(176, option(), ORDERS["what if"]), client_id=7, default_account=ACCOUNT, contract=OPTION
    )
    message = orders.open_order(view_of(ticket), 176, orders.OrderState(margin=margin))
    state = read(message, 176)[1][3]
    assert {name: Decimal(getattr(state, name)) for name in names} == told
    assert (state.commission, state.commissionCurrency) == (0.65, "USD")


@pytest.mark.parametrize("name", ["market", "conditional", "adaptive", "scaled"])
@pytest.mark.parametrize("change", ["one too few", "one too many", "shifted"])
def test_a_message_of_the_wrong_length_is_refused_and_never_an_order(name: str, change: str) -> None:
    """A message that does not end where the order ends is not placed."""
    texts = written(176, "placeOrder", 12, option(), ORDERS[name])[1:]
    wrong = {"one too few": texts[:-1], "one too many": [*texts, ""], "shifted": ["", *texts]}[change]
    with pytest.raises(MalformedRequest):
        read_place_order(Cursor(wrong), 176)


def test_the_versions_differ_in_their_last_fields_only() -> None:
    """Each version's message is read by its own rules and by no other's."""
    at_169 = written(169, "placeOrder", 12, option(), ORDERS["market"])[1:]
    at_165 = written(165, "placeOrder", 12, option(), ORDERS["market"])[1:]
    assert len(at_169) == len(at_165) + 2  # advanced error override (166), manual order time (169)
    with pytest.raises(MalformedRequest):
        read_place_order(Cursor(at_165), 169)
    with pytest.raises(MalformedRequest):
        read_place_order(Cursor(at_169), 165)


def _plain(value: Any) -> Any:
    """A library's value in a form that can be compared: its own objects are equal only to themselves."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(each) for name, each in asdict(value).items()}
    return value
