"""One market data line: what it has told, so that only what changed is told again; live or delayed types.

A changed price is told with its size, and the size once more by itself; a changed size alone by itself, as
the recorded ticks show it.
"""

from collections.abc import Iterator
from decimal import Decimal

from simulation.broker.model import Quote
from simulation.tws.replies import Message
from simulation.tws.replies import market as say

BID_SIZE, BID, ASK, ASK_SIZE, LAST, LAST_SIZE, VOLUME = 0, 1, 2, 3, 4, 5, 8
HIGH, LOW, CLOSE, OPEN = 6, 7, 9, 14
DELAYED = {BID: 66, ASK: 67, LAST: 68, BID_SIZE: 69, ASK_SIZE: 70, LAST_SIZE: 71, VOLUME: 74}
DELAYED |= {HIGH: 72, LOW: 73, CLOSE: 75, OPEN: 76}
NO_ATTRIBUTES = 0
GONE = Decimal(-1)  # how a price is told that is not there


class Line:
    """The memory of one line."""

    def __init__(self, request_id: int, *, is_delayed: bool) -> None:
        self.request_id = request_id
        self.is_delayed = is_delayed
        self._told: dict[object, object] = {}

    def is_new(self, tick: object, value: object) -> bool:
        """Whether a value differs from what was told; it counts as told from now on."""
        if tick in self._told and self._told[tick] == value:
            return False
        self._told[tick] = value
        return True

    def forget(self) -> None:
        """Everything is new again."""
        self._told.clear()

    def touch(self, quote: Quote) -> Iterator[Message]:
        """Both sides, the last trade and the volume, as far as they are new."""
        yield from self._side(BID, BID_SIZE, quote.bid, quote.bid_size)
        yield from self._side(ASK, ASK_SIZE, quote.ask, quote.ask_size)
        if quote.last is not None:
            yield from self._side(LAST, LAST_SIZE, quote.last, quote.last_size)
            if self.is_new(VOLUME, quote.volume):
                yield say.tick_size(self.request_id, self._tick(VOLUME), quote.volume)

    def mark(self, price_tick: int, price: Decimal | None) -> Iterator[Message]:
        """A price without a size, as far as there is one and it is new."""
        if price is not None and self.is_new(price_tick, price):
            yield say.tick_price(self.request_id, self._tick(price_tick), price, 0, NO_ATTRIBUTES)

    def _side(self, price_tick: int, size_tick: int, price: Decimal | None, size: int) -> Iterator[Message]:
        told = GONE if price is None else price
        size_is_new = self.is_new(size_tick, size)
        if self.is_new(price_tick, told):
            yield say.tick_price(self.request_id, self._tick(price_tick), told, size)
            yield say.tick_size(self.request_id, self._tick(size_tick), size)
        elif size_is_new:
            yield say.tick_size(self.request_id, self._tick(size_tick), size)

    def _tick(self, tick: int) -> int:
        return DELAYED[tick] if self.is_delayed else tick
