"""The client library's objects brought to rows of the house: decimals, texts, None for what is unset.

The library has read every number as a float already; its shortest text is the number that the broker wrote.
Keep out: which request a row answers, and what is done with it.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.ibkr.contracts import api_instrument
from adapters.ibkr.session.client_library import UNSET_INTEGER, UNSET_NUMBER
from adapters.ibkr.session.heard import ContractHeard, OrderHeard, StatusHeard
from trading.errors import InvalidFieldError
from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition
from trading.model.money import EXACT, MONEY_PLACES

FILLED = "Filled"
SIDES = {"BUY": "BUY", "SELL": "SELL", "SSHORT": "SELL"}
WITH_STOP = frozenset({"STP", "STP LMT", "TRAIL", "TRAIL LIMIT", "MIT", "LIT", "STP PRT"})
PLACES = Decimal(1).scaleb(-MONEY_PLACES)


def number(value: float) -> Decimal | None:
    """The decimal of a library's float; None where the broker left it unset."""
    if value is None or value != value or abs(value) >= UNSET_NUMBER:  # NaN differs from itself
        return None
    return Decimal(str(value))


def amount(value: float) -> Decimal:
    """The decimal of a number that stands for nothing where it is unset."""
    return number(value) or Decimal(0)


def price(value: float) -> Decimal | None:
    """A price; the broker writes 0 where there is none yet."""
    return number(value) or None


def instrument_id_of(contract: Any) -> str:
    """The house's name of a contract; of a kind that it does not carry, its type and number."""
    message = {
        "symbol": contract.symbol,
        "currency": contract.currency,
        "secType": contract.secType,
        "localSymbol": contract.localSymbol,
        "conId": str(contract.conId),
        "multiplier": contract.multiplier,
        "strike": str(contract.strike),
        "expiry": contract.lastTradeDateOrContractMonth,
        "right": contract.right,
        "exchange": contract.exchange or contract.primaryExchange,
        "tradingClass": contract.tradingClass,
    }
    try:
        return api_instrument(message).instrument_id
    except InvalidFieldError:
        return f"{contract.secType}:{contract.conId}"


def position_row(account: str, contract: Any, quantity: float, average_cost: float) -> BrokerPosition:
    """A position."""
    return BrokerPosition(
        account=account,
        conid=contract.conId,
        instrument_id=instrument_id_of(contract),
        symbol=contract.symbol,
        quantity=amount(quantity),
        average_cost=_rounded(number(average_cost)),
    )


def open_order(order_id: int, contract: Any, order: Any, state: Any) -> OrderHeard:
    """An order as its open-order message tells it; filled and remaining come with the status."""
    quantity = amount(order.totalQuantity)
    told = _order(contract, order, state.status, order_id=order_id, client_id=order.clientId)
    return OrderHeard(
        order=replace(told, quantity=quantity, remaining=quantity),
        parent_order_id=_known_number(order.parentId),
        native=(contract, order),
    )


def completed_order(contract: Any, order: Any, state: Any) -> OrderHeard:
    """An order that is over; its message names neither client nor number.

    Of a filled one it names the quantity or what filled, and 0 for the other: both forms have been seen.
    """
    filled = amount(order.filledQuantity)
    quantity = max(amount(order.totalQuantity), filled)
    if state.status == FILLED:
        filled = quantity
    told = _order(contract, order, state.status, order_id=0, client_id=0)
    return OrderHeard(
        order=replace(
            told,
            quantity=quantity,
            filled=filled,
            remaining=quantity - filled,
            parent_perm_id=_perm_id(order.parentPermId),
        ),
        parent_order_id=0,
        native=None,
        completed=True,
    )


def order_status(
    order_id: int,
    status: str,
    filled: float,
    remaining: float,
    average_price: float,
    perm_id: int,
    parent_id: int,
    _last_price: float,
    client_id: int,
    why_held: str,
    *_rest: object,
) -> StatusHeard:
    """A status, in the order of the message's fields."""
    return StatusHeard(
        client_id=client_id,
        order_id=order_id,
        perm_id=_perm_id(perm_id),
        parent_order_id=_known_number(parent_id),
        status=status,
        filled=amount(filled),
        remaining=amount(remaining),
        average_price=_rounded(price(average_price)),
        why_held=why_held,
    )


def account_value_row(account: str, name: str, value: str, currency: str) -> AccountValue:
    """A figure of an account, as text."""
    return AccountValue(account=account, name=name, value=value, currency=currency)


def contract_row(details: Any) -> ContractHeard:
    """What the broker says a contract id is."""
    contract = details.contract
    return ContractHeard(
        conid=contract.conId,
        sec_type=contract.secType,
        symbol=contract.symbol,
        local_symbol=contract.localSymbol,
        exchange=contract.exchange,
    )


def _order(contract: Any, order: Any, status: str, *, order_id: int, client_id: int) -> BrokerOrder:
    return BrokerOrder(
        account=order.account,
        perm_id=_perm_id(order.permId),
        order_ref=order.orderRef,
        client_id=client_id,
        order_id=order_id,
        parent_perm_id="",
        conid=contract.conId,
        instrument_id=instrument_id_of(contract),
        symbol=contract.symbol,
        side=SIDES.get(order.action, order.action),
        order_type=order.orderType,
        quantity=Decimal(0),
        limit_price=_price_of(number(order.lmtPrice), "LMT" in order.orderType),
        stop_price=_price_of(number(order.auxPrice), order.orderType in WITH_STOP),
        time_in_force=order.tif,
        oca_group=order.ocaGroup,
        oca_type=order.ocaType,
        status=status,
        filled=Decimal(0),
        remaining=Decimal(0),
        average_price=None,
    )


def _price_of(value: Decimal | None, is_part_of_type: bool) -> Decimal | None:
    """The broker writes 0 for a price that the order's type does not have."""
    return None if value == 0 and not is_part_of_type else value


def _rounded(value: Decimal | None) -> Decimal | None:
    """An average in the places of money: a float's tail is no information, and differs by platform."""
    return None if value is None else value.quantize(PLACES, context=EXACT).normalize(EXACT)


def _perm_id(value: int) -> str:
    return str(value) if _known_number(value) else ""


def _known_number(value: int) -> int:
    return 0 if value in (0, UNSET_INTEGER) else value
