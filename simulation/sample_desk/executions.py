"""Executions as the exchange prints them: fills of options, shares, conversions, and how orders split."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from random import Random

from simulation.sample_desk.contracts import Contract, euro_dollar
from simulation.sample_desk.fees import conversion_fee, option_fee, share_fee
from simulation.sample_desk.trades import Order, Print, Trade, TradeKind

OPTION_EXCHANGES = ("CBOE", "PSE", "AMEX", "NASDAQOM", "PHLX", "BATS", "EDGX", "MIAX", "ISE", "BOX", "MEMX")
SHARE_EXCHANGES = ("ISLAND", "ARCA", "BATS", "IEX", "DRCTEDGE")
INDEX_EXCHANGE = "CBOE"
CURRENCY_EXCHANGE = "IDEALFX"
REST_AT_ONCE_PERCENT = 40  # of the parts take all that is left
TOOK = 2  # liquidity code of a taker


def parts_of(rng: Random, quantity: int) -> Iterator[int]:
    """The quantities in which an order is filled."""
    left = quantity
    while left:
        at_once = rng.randrange(100) < REST_AT_ONCE_PERCENT
        part = left if at_once else rng.randint(1, max(1, left // 2))
        yield part
        left -= part


def execution(
    rng: Random,
    account: str,
    session: date,
    contract: Contract,
    side: int,
    at: datetime,
    order: Order,
    quantity: int,
    price: Decimal,
) -> Trade:
    """One fill of an option or a share, with its fee and exchange."""
    fee, liquidity = option_fee(rng, quantity, price, side < 0)
    exchange = INDEX_EXCHANGE if contract.settles_in_cash else rng.choice(OPTION_EXCHANGES)
    if contract.asset == "STK":
        fee, exchange = share_fee(quantity, price, side < 0), rng.choice(SHARE_EXCHANGES)
    return Trade(
        account=account,
        session=session,
        contract=contract,
        kind=TradeKind.EXECUTION,
        side=side,
        executed_at=at,
        order=order,
        exchange=exchange,
        liquidity=liquidity,
        prints=(Print(said_at=at, quantity=Decimal(quantity), price=price, fee=fee),),
    )


def conversion(
    account: str, base_currency: str, session: date, at: datetime, order: Order, price: Decimal
) -> Trade:
    """A conversion between euro and dollar; its fee is in the account's base currency."""
    amount = order.quantity
    return Trade(
        account=account,
        session=session,
        contract=euro_dollar(),
        kind=TradeKind.CONVERSION,
        side=-1 if base_currency == "EUR" else 1,
        executed_at=at,
        order=order,
        exchange=CURRENCY_EXCHANGE,
        liquidity=TOOK,
        prints=(Print(said_at=at, quantity=amount, price=price, fee=conversion_fee(amount)),),
        fee_currency=base_currency,
    )
