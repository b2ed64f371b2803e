"""Books: by position as the broker tells them, by price with sequence numbers as other venues do.

An operation that cannot be (a position behind the end, a delete of nothing, a price that is none) says that
something was missed: every later position would be wrong, so the book is emptied and asked for anew. The same
where a sequence has a gap. A book without Level 2 is made of the quote and says so.

What can lose money here: an imbalance computed from a book that is half of one. A book that begins, or was
reset, is not told before it has both sides; after that a side may run empty, which is the market's word. And
a book whose lost delete nobody noticed: it stays crossed, so a book says since when. Any book may be crossed
between the changes of one move, so that is looked at when it is told, never between them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from trading.market.numbers import NUMBER_LIMIT, PRICE_LEAST, decimal_of
from trading.model.market import DepthLevel, DepthSnapshot, Quote

ROWS_MAX = 60  # of one side by position; a venue that tells more is cut
LEVELS_MAX = 10_000  # of one side by price
INSERT, UPDATE, DELETE = 0, 1, 2
ASK_SIDE, BID_SIDE = 0, 1


class PositionBook:
    """One line's book by position: rows of (price, size, maker), best first, asks and bids."""

    __slots__ = (
        "_has_begun",
        "_sides",
        "at",
        "conid",
        "crossed_since",
        "instrument_id",
        "is_changed",
        "symbol",
    )

    def __init__(self, symbol: str, instrument_id: str, conid: int | None = None) -> None:
        self.symbol, self.instrument_id, self.conid = symbol, instrument_id, conid
        self._sides: tuple[list[tuple[float, float, str]], list[tuple[float, float, str]]] = ([], [])
        self._has_begun = False
        self.at: datetime | None = None
        self.is_changed = False
        self.crossed_since: datetime | None = None  # as far as it was told: the market's time

    def change(
        self, position: int, maker: str, operation: int, side: int, price: float, size: float, at: datetime
    ) -> bool:
        """Do one operation; False where it cannot be: the book is empty then, and must be asked for anew."""
        rows = self._sides[side] if side in (ASK_SIDE, BID_SIDE) else None
        if rows is None or position < 0:
            return self._lost()
        if operation == UPDATE:
            if position >= len(rows) or not _is_level(price, size):
                return self._lost()
            rows[position] = (price, size, maker)
        elif operation == INSERT:
            if position > len(rows) or not _is_level(price, size):
                return self._lost()
            rows.insert(position, (price, size, maker))
            if len(rows) > ROWS_MAX:
                rows.pop()
        elif operation == DELETE and position < len(rows):
            rows.pop(position)
        else:
            return self._lost()
        self.at = at
        self.is_changed = True
        return True

    def reset(self) -> None:
        """Empty the book: the broker said so (317), or the line was lost."""
        self._sides[0].clear()
        self._sides[1].clear()
        self._has_begun = False
        self.is_changed = True
        self.crossed_since = None

    @property
    def is_empty(self) -> bool:
        """Nothing is known."""
        return not (self._sides[0] or self._sides[1])

    def top(self) -> tuple[float | None, float | None]:
        """Best bid and best ask with a size."""
        bid = max((price for price, size, _ in self._sides[BID_SIDE] if size), default=None)
        ask = min((price for price, size, _ in self._sides[ASK_SIDE] if size), default=None)
        return bid, ask

    @property
    def is_crossed(self) -> bool:
        """The best bid is at the best ask, or above it: crossed, or locked."""
        bid, ask = self.top()
        return bid is not None and ask is not None and bid >= ask

    def snapshot(self, levels_max: int) -> DepthSnapshot | None:
        """Tell the book in price levels, makers' sizes summed; None until it had both sides, or is empty."""
        self.is_changed = False
        self._has_begun = self._has_begun or all(self._sides)
        self.crossed_since = (self.crossed_since or self.at) if self.is_crossed else None
        if self.at is None or self.is_empty or not self._has_begun:
            return None
        return DepthSnapshot(
            symbol=self.symbol,
            instrument_id=self.instrument_id,
            at=self.at,
            bids=_levels(self._sides[BID_SIDE], levels_max, is_bid=True),
            asks=_levels(self._sides[ASK_SIDE], levels_max, is_bid=False),
            conid=self.conid,
        )

    def by_maker(self) -> tuple[tuple[DepthLevel, ...], tuple[DepthLevel, ...]]:
        """Bids and asks as told, each row with its venue or market maker."""
        bids, asks = (
            tuple(
                DepthLevel(price=decimal_of(price), size=decimal_of(size), maker=maker)
                for price, size, maker in self._sides[side]
            )
            for side in (BID_SIDE, ASK_SIDE)
        )
        return bids, asks

    def _lost(self) -> bool:
        self.reset()
        return False


def _is_level(price: float, size: float) -> bool:
    return PRICE_LEAST <= price < NUMBER_LIMIT and 0 <= size < NUMBER_LIMIT


def _levels(
    rows: Sequence[tuple[float, float, str]], levels_max: int, *, is_bid: bool
) -> tuple[DepthLevel, ...]:
    sizes: dict[float, Decimal] = {}
    for price, size, _ in rows:
        if size:
            before = sizes.get(price)
            sizes[price] = decimal_of(size) if before is None else before + decimal_of(size)
    best = sorted(sizes, reverse=is_bid)[:levels_max]
    return tuple(DepthLevel(price=decimal_of(price), size=sizes[price]) for price in best)


class DeltaOutcome(IntEnum):
    """What a delta of a sequenced book was."""

    APPLIED = 1
    OLD = 0  # everything in it was known
    GAP = -1  # something before it is missing: the book waits for a snapshot
    WAITING = -2  # there is no snapshot yet


class SequencedBook:
    """A book by price whose deltas are numbered, in decimals; a size of 0 takes a level away."""

    def __init__(self, symbol: str, instrument_id: str) -> None:
        self.symbol, self.instrument_id = symbol, instrument_id
        self._bids: dict[Decimal, Decimal] = {}
        self._asks: dict[Decimal, Decimal] = {}
        self.last: int | None = None  # number of the newest update; None: a snapshot is needed
        self.at: datetime | None = None
        self.gaps = 0

    def begin(
        self,
        last: int,
        bids: Iterable[tuple[Decimal, Decimal]],
        asks: Iterable[tuple[Decimal, Decimal]],
        at: datetime,
    ) -> None:
        """Take a snapshot, which holds all updates up to `last`."""
        self._bids, self._asks = dict(bids), dict(asks)
        self.last, self.at = last, at

    def apply(
        self,
        first: int,
        last: int,
        bids: Iterable[tuple[Decimal, Decimal]],
        asks: Iterable[tuple[Decimal, Decimal]],
        at: datetime,
        *,
        before: int | None = None,
    ) -> DeltaOutcome:
        """Take updates `first` to `last`; `before` is the number they follow, where the venue tells it."""
        if self.last is None:
            return DeltaOutcome.WAITING
        if last <= self.last:
            return DeltaOutcome.OLD
        if before != self.last and first > self.last + 1:  # the first after a snapshot may begin before it
            self.lose()
            return DeltaOutcome.GAP
        for side, changes in ((self._bids, bids), (self._asks, asks)):
            _apply(side, changes)
        if max(len(self._bids), len(self._asks)) > LEVELS_MAX:
            self.lose()
            return DeltaOutcome.GAP
        self.last, self.at = last, at
        return DeltaOutcome.APPLIED

    def lose(self) -> None:
        """Something is missing: nothing is told until the next snapshot."""
        self._bids.clear()
        self._asks.clear()
        self.last = None
        self.gaps += 1

    @property
    def is_crossed(self) -> bool:
        """The best bid is above the best ask."""
        return bool(self._bids and self._asks and max(self._bids) > min(self._asks))

    def snapshot(self, levels_max: int) -> DepthSnapshot | None:
        """Tell the best levels; None while a snapshot is missing."""
        if self.last is None or self.at is None:
            return None
        bids = sorted(self._bids, reverse=True)[:levels_max]
        asks = sorted(self._asks)[:levels_max]
        return DepthSnapshot(
            symbol=self.symbol,
            instrument_id=self.instrument_id,
            at=self.at,
            bids=tuple(DepthLevel(price=price, size=self._bids[price]) for price in bids),
            asks=tuple(DepthLevel(price=price, size=self._asks[price]) for price in asks),
        )


def _apply(side: dict[Decimal, Decimal], changes: Iterable[tuple[Decimal, Decimal]]) -> None:
    for price, size in changes:
        if size:
            side[price] = size
        else:
            side.pop(price, None)


def synthetic_book(quote: Quote) -> DepthSnapshot | None:
    """The quote as a book of one level a side; None where it has neither."""
    bids = _quoted(quote.bid, quote.bid_size)
    asks = _quoted(quote.ask, quote.ask_size)
    return replace(empty_book(quote), bids=bids, asks=asks) if bids or asks else None


def empty_book(quote: Quote) -> DepthSnapshot:
    """The book of a quote that has neither side, or no size of one."""
    return DepthSnapshot(
        symbol=quote.symbol,
        instrument_id=quote.instrument_id,
        at=quote.at,
        bids=(),
        asks=(),
        is_synthetic=True,
        conid=quote.conid,
    )


def _quoted(price: Decimal | None, size: Decimal | None) -> tuple[DepthLevel, ...]:
    if price is None or size is None or not size:
        return ()
    return (DepthLevel(price=price, size=size),)
