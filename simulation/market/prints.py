"""The tape of an underlying's session as arrays: the flow with prices, found by time and by contract.

Prices are put on minute by minute when they are asked for: at the touch of the print's second, a level behind
it for each further one of a sweep, between bid and ask for those who met there, at the spot for an auction.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from simulation.market.chain import Ints
from simulation.market.flow import CLOSING, OPENING, Flow
from simulation.market.pricing import downward, steps_at, upward
from simulation.market.profile import MINUTE
from simulation.market.rules import MarketRule

UNKNOWN = -1
Touches = Callable[[Ints, Ints], tuple[Ints, Ints]]  # bid and ask of cells at seconds
Spots = Callable[[Ints], Ints]


@dataclass(slots=True)
class Prints:
    """One underlying's session, of its share or of its options."""

    flow: Flow
    cells: int
    rule: MarketRule
    touches: Touches
    spots: Spots
    cents: Ints = field(init=False)
    order: Ints = field(init=False)
    starts: list[int] = field(init=False)
    seconds: list[int] = field(init=False)
    summed: list[int] = field(init=False)
    priced: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        flow = self.flow
        self.cents = np.full(len(flow.second), UNKNOWN, dtype=np.int64)
        self.order = np.argsort(flow.cell, kind="stable")
        cells = flow.cell[self.order]
        self.starts = np.searchsorted(cells, np.arange(self.cells + 1)).tolist()
        self.seconds = flow.second[self.order].tolist()
        self.summed = [0, *np.cumsum(flow.size[self.order]).tolist()]

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Places in time of the prints from a second to a second, both included, with their prices."""
        low = int(np.searchsorted(self.flow.second, first))
        high = int(np.searchsorted(self.flow.second, last, side="right"))
        if low < high:
            for minute in range(
                int(self.flow.second[low]) // MINUTE, int(self.flow.second[high - 1]) // MINUTE + 1
            ):
                self._price(minute)
        return low, high

    def of_cell(self, cell: int, first: int, last: int) -> Ints:
        """Places in time of one contract's prints from a second to a second, with their prices."""
        low, high = self.starts[cell], self.starts[cell + 1]
        begin = bisect_left(self.seconds, first, low, high)
        places = self.order[begin : bisect_right(self.seconds, last, begin, high)]
        for minute in set((self.flow.second[places] // MINUTE).tolist()):
            self._price(minute)
        return places

    def until(self, cell: int, second: int) -> tuple[int, int]:
        """Volume up to and with a second, and the place in time of the last print (-1 is none)."""
        low, high = self.starts[cell], self.starts[cell + 1]
        inner = bisect_right(self.seconds, second, low, high)
        if inner == low:
            return 0, -1
        self._price(self.seconds[inner - 1] // MINUTE)
        return self.summed[inner] - self.summed[low], int(self.order[inner - 1])

    def _price(self, minute: int) -> None:
        """Put prices on a minute's prints, once."""
        if minute in self.priced:
            return
        self.priced.add(minute)
        flow = self.flow
        low, high = np.searchsorted(flow.second, [minute * MINUTE, (minute + 1) * MINUTE])
        if low == high:
            return
        here = slice(int(low), int(high))
        second, side, level = flow.second[here], flow.side[here], flow.level[here]
        bid, ask = self.touches(flow.cell[here], second)
        lifted = (side > 0) | ((side < 0) & (bid <= 0))
        middle = downward(self.rule, (bid + ask) // 2)
        meets = (side == 0) & (middle > bid) & (middle < ask) & (bid > 0)
        lifted = lifted | ((side == 0) & ~meets & ((flow.bits[here] & np.uint64(1)) > 0))
        lifted = lifted | ((bid <= 0) & ~meets)
        up = upward(self.rule, ask + level * steps_at(self.rule, ask))
        down = downward(self.rule, bid - level * steps_at(self.rule, np.maximum(bid - 1, 0)))
        hit = np.maximum(down, self.rule.increments[0][1])
        cents = np.where(meets, middle, np.where(lifted, up, hit))
        auction = (flow.sort[here] == OPENING) | (flow.sort[here] == CLOSING)
        self.cents[here] = np.where(auction, self.spots(second), cents)
        self.flow.side[here] = np.where(auction | meets, 0, np.where(lifted, 1, -1))
