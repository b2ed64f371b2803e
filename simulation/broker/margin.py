"""What positions bind: half of shares, naked short options by the exchange's rule, spreads by their width.

Simple and documented, in the shape of strategy-based margin: each short option is paired with a long one of
the same underlying and right that expires no earlier; the pair binds the width of its strikes where that is
a risk. What is left short binds its value plus a fifth of the underlying less what it is out of the money,
at least a tenth. Money in dollars.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from simulation.sample_desk.contracts import Contract

SHARE_INITIAL, SHARE_MAINTENANCE = Decimal("0.50"), Decimal("0.25")
NAKED, NAKED_LEAST = Decimal("0.20"), Decimal("0.10")
CENT = Decimal("0.01")
Price = Callable[[Contract], Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What is bound at the start and while it is held."""

    initial: Decimal
    maintenance: Decimal


def requirement(holdings: Iterable[tuple[Contract, Decimal]], price_of: Price, spot_of: Price) -> Requirement:
    """The margin of signed holdings."""
    initial = maintenance = Decimal(0)
    options: dict[tuple[int, str], list[tuple[Contract, Decimal]]] = defaultdict(list)
    for contract, quantity in holdings:
        if contract.asset == "OPT" and contract.underlying is not None:
            options[contract.underlying.conid, contract.right].append((contract, quantity))
        elif contract.asset == "STK":
            value = abs(quantity) * price_of(contract)
            initial += value * SHARE_INITIAL
            maintenance += value * SHARE_MAINTENANCE
    bound = sum((_options(held, price_of, spot_of) for held in options.values()), Decimal(0))
    return Requirement(
        initial=(initial + bound).quantize(CENT, ROUND_HALF_EVEN),
        maintenance=(maintenance + bound).quantize(CENT, ROUND_HALF_EVEN),
    )


def _options(held: list[tuple[Contract, Decimal]], price_of: Price, spot_of: Price) -> Decimal:
    """The margin of one underlying's calls, or of its puts."""
    longs = {contract.conid: quantity for contract, quantity in held if quantity > 0}
    bound = Decimal(0)
    for contract, quantity in held:
        left = -quantity
        for cover, _ in held:
            free = longs.get(cover.conid, Decimal(0))
            if left <= 0 or not free or not _covers(cover, contract):
                continue
            paired = min(left, free)
            longs[cover.conid], left = free - paired, left - paired
            bound += _width(contract, cover) * paired * contract.multiplier
        if left > 0:
            bound += _naked(contract, price_of(contract), spot_of(contract)) * left * contract.multiplier
    return bound


def _covers(cover: Contract, short: Contract) -> bool:
    return cover.expiry is not None and short.expiry is not None and cover.expiry >= short.expiry


def _width(short: Contract, cover: Contract) -> Decimal:
    """What a pair can lose, per unit: nothing when the long one is the nearer to the money."""
    difference = (cover.strike or Decimal(0)) - (short.strike or Decimal(0))
    return max(Decimal(0), difference if short.right == "C" else -difference)


def _naked(contract: Contract, price: Decimal, spot: Decimal) -> Decimal:
    strike = contract.strike or Decimal(0)
    out = max(Decimal(0), strike - spot if contract.right == "C" else spot - strike)
    least = NAKED_LEAST * (spot if contract.right == "C" else strike)
    return price + max(NAKED * spot - out, least)
