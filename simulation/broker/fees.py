"""What the broker charges for an execution: the published tiered schedule's shape.

Options: a commission by premium (0.25 below five cents, 0.50 below ten, else 0.65 a contract), what the
exchange takes or gives back for liquidity, and the regulators' and clearing fees. The minimum per order is
left out: it would make a fee depend on the order's other executions.
"""

from decimal import ROUND_HALF_EVEN, Decimal

from simulation.broker.matching import ADDED
from simulation.sample_desk.contracts import Contract
from simulation.sample_desk.fees import (
    EXCHANGE_FEES,
    EXCHANGE_REBATES,
    OPTION_COMMISSION,
    PLACES,
    option_fee_of,
    share_fee,
)

TIERS = ((Decimal("0.10"), Decimal("0.65")), (Decimal("0.05"), Decimal("0.50")))  # premium from, a contract
LOWEST = Decimal("0.25")


def commission_of(
    contract: Contract, quantity: int, price: Decimal, side: int, liquidity: int, exchange: str
) -> Decimal:
    """Fee of one execution, positive when paid; a rebate may be larger than all that is charged."""
    if contract.asset != "OPT":
        return share_fee(quantity, price, side < 0)
    adds = liquidity == ADDED
    table = EXCHANGE_REBATES if adds else EXCHANGE_FEES
    at_exchange = Decimal(table[sum(exchange.encode()) % len(table)])
    base = option_fee_of(quantity, price, side < 0, adds, at_exchange)
    if adds:
        return base
    dearer = (_tier(price) - OPTION_COMMISSION) * quantity
    return (base + dearer).quantize(PLACES, ROUND_HALF_EVEN)


def _tier(price: Decimal) -> Decimal:
    return next((fee for low, fee in TIERS if price >= low), LOWEST)
