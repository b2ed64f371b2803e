"""Displayed sizes: what stands at a price, less what was taken there, until it is shown again.

A size belongs to contract, side, price and a window of a few seconds; prints of the window at the price eat
it down to one lot, and the next window shows a new one. Windows of different contracts begin at different
seconds, so a chain does not change all at once. Towards the close one side of a share's book grows:
the imbalance that the closing auction will trade.
"""

from collections.abc import Iterator

import numpy as np

from simulation.market.chain import Ints
from simulation.market.mixing import Bits, mixed, mixed_more, mixed_on
from simulation.market.profile import MINUTE
from simulation.market.rules import MarketRule

WINDOW_S = 4  # a power of two: a contract's phase is its lowest bits
PHASE = WINDOW_S - 1
OPTION_SIZE_MOST = 60
SHARE_SIZE_MOST = 15  # lots of 100
SHARE_LOT = 100
BID, ASK = 1, 2
IMBALANCE_S = 10 * MINUTE
IMBALANCE_MOST = 5  # the favored side is this much larger at the close
SALT_IMBALANCE = 172


def window_of(bits: int, second: int) -> int:
    """First second of a contract's window."""
    return second - (second + (bits & PHASE)) % WINDOW_S


def windows_of(bits: Bits, second: int) -> Ints:
    """The same for many contracts."""
    told: Ints = second - (second + (bits & np.uint64(PHASE)).astype(np.int64)) % WINDOW_S
    return told


def size_of(bits: int, side: int, cents: int, second: int, most: int) -> int:
    """Size displayed at a price, in lots."""
    return 1 + (mixed_on(bits, window_of(bits, second), cents * 4 + side) >> 8) % most


def sizes_of(bits: Bits, side: int, cents: Ints, most: int) -> Ints:
    """Sizes of many contracts, each at its price, from bits that know the window."""
    told = mixed_more(bits, cents * 4 + side) >> np.uint64(8)
    return 1 + (told % np.uint64(most)).astype(np.int64)


def favored(seed: int, conid: int, opens: int) -> int:
    """Which side of the close's imbalance is larger: 1 buyers, 2 sellers."""
    return BID if mixed(seed, conid, opens, SALT_IMBALANCE) & 1 else ASK


def imbalance(side: int, favored_side: int, second: int, closes: int) -> int:
    """By how much the side is larger now."""
    left = closes - second
    if side != favored_side or not 0 < left <= IMBALANCE_S:
        return 1
    return 1 + (IMBALANCE_MOST - 1) * (IMBALANCE_S - left) // IMBALANCE_S


def prices(rule: MarketRule, touch: int, rows: int, direction: int) -> Iterator[int]:
    """Allowed prices from the touch away, as far as there are any."""
    price = touch
    for _ in range(rows if touch else 0):
        if price <= 0:
            return
        yield price
        price += rule.increment(price) if direction > 0 else -rule.increment(price - 1)
