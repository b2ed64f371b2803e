"""What the broker charges in the sample: commission, exchange fee or rebate, and the regulators' shares.

Shaped after real statements: odd amounts of four to nine decimals, and now and then an exchange's rebate
that is larger than all that is charged, so that the fee of the fill is negative.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from random import Random

OPTION_COMMISSION = Decimal("0.25")  # a contract, before what the exchange charges
EXCHANGE_FEES = ("0.05", "0.12", "0.395", "0.44", "0.5")  # a contract, taker
EXCHANGE_REBATES = ("-0.28", "-0.35", "-0.41")  # a contract, maker
OPTIONS_REGULATORY = Decimal("0.02295")  # a contract
CLEARING = Decimal("0.02")  # a contract
SALE_OF_PROCEEDS = Decimal("0.0000206")  # of the money of a sale
SALE_PER_CONTRACT = Decimal("0.00329")
SHARE_COMMISSION = Decimal("0.0035")  # a share
SALE_PER_SHARE = Decimal("0.000195")
CONVERSION_MINIMUM = Decimal("2")
CONVERSION_OF_AMOUNT = Decimal("0.00002")
REBATE_PERCENT = 12  # of the fills add liquidity where that is paid
PLACES = Decimal("0.000000001")


def option_fee(rng: Random, quantity: int, price: Decimal, is_sale: bool) -> tuple[Decimal, int]:
    """Fee of an option fill and its liquidity code (1 added, 2 removed)."""
    adds = rng.randrange(100) < REBATE_PERCENT
    exchange = Decimal(rng.choice(EXCHANGE_REBATES if adds else EXCHANGE_FEES))
    return option_fee_of(quantity, price, is_sale, adds, exchange), 1 if adds else 2


def option_fee_of(quantity: int, price: Decimal, is_sale: bool, adds: bool, exchange: Decimal) -> Decimal:
    """Fee of an option fill whose liquidity and exchange fee a contract are known."""
    regulatory = Decimal(0) if adds else OPTIONS_REGULATORY
    fee = (OPTION_COMMISSION + exchange + regulatory + (Decimal(0) if adds else CLEARING)) * quantity
    if is_sale:
        fee += SALE_OF_PROCEEDS * price * quantity * 100 + SALE_PER_CONTRACT * quantity
    return fee.quantize(PLACES, ROUND_HALF_EVEN)


def share_fee(quantity: int, price: Decimal, is_sale: bool) -> Decimal:
    """Fee of a share fill."""
    fee = SHARE_COMMISSION * quantity
    if is_sale:
        fee += SALE_OF_PROCEEDS * price * quantity + SALE_PER_SHARE * quantity
    return fee.quantize(PLACES, ROUND_HALF_EVEN)


def conversion_fee(amount: Decimal) -> Decimal:
    """Fee of a conversion, in the account's base currency."""
    return max(CONVERSION_MINIMUM, amount * CONVERSION_OF_AMOUNT).quantize(PLACES, ROUND_HALF_EVEN)
