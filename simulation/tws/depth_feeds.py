"""Subscriptions to books and to every single trade or quote."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from simulation.broker.questions import DepthRow, Print
from simulation.tws.replies import Message
from simulation.tws.replies import market as say
from simulation.tws.subscriptions import Subscription, Tick, TickSubscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

SAMPLED_EVERY: Final = timedelta(milliseconds=100)
TICKS_EVERY: Final = timedelta(milliseconds=50)
INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1
TRADE_KINDS: Final = {"Last": 1, "AllLast": 2}
KINDS: Final = (*TRADE_KINDS, "BidAsk", "MidPoint")
QUOTE, TRADE = 0, 1  # in this order within one moment
TICKS_MAX = 100_000  # of one look and feed; what is left is told at the next, behind the others of this


class DepthFeed(Subscription):
    """A book, told as changes by position; a market maker's or exchange's name where the book has them."""

    def __init__(self, request_id: int, conid: int, rows: int, *, names_makers: bool, is_smart: bool) -> None:
        super().__init__()
        self.request_id, self.conid, self.rows = request_id, conid, rows
        self._names_makers, self._is_smart = names_makers, is_smart
        self._told: dict[int, Sequence[DepthRow]] = {ASK: (), BID: ()}
        self._text = ""

    def forget(self) -> None:
        """The client was told to empty its book: everything is new."""
        self._told = {ASK: (), BID: ()}

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        self.due_at = now + SAMPLED_EVERY
        faults = state.faults
        if faults.is_silent(self.conid):
            return []
        book = state.broker.depth(self.conid, self.rows, now)
        asks, bids = book.asks[: self.rows], book.bids[: self.rows]
        if faults.crossed_quotes:
            asks, bids = bids, asks
        is_reworded, self._text = self._text != faults.price_text, faults.price_text
        messages = [
            *self._changes(ASK, asks, all_of_them=is_reworded),
            *self._changes(BID, bids, all_of_them=is_reworded),
        ]
        self._told = {ASK: asks, BID: bids}
        lost = min(faults.lost_depth, len(messages))
        faults.lost_depth -= lost
        return messages[lost:]

    def impossible(self) -> Message:
        """A change of a position that no book of this subscription has."""
        return self._change(self.rows + 1, UPDATE, BID, DepthRow(price=Decimal(1), size=1, maker=""))

    def _changes(self, side: int, rows: Sequence[DepthRow], *, all_of_them: bool) -> Iterator[Message]:
        """By position from the best; what is too many is deleted from the end, so no position moves."""
        told = self._told[side]
        for position, (row, old) in enumerate(zip_longest(rows, told[: len(rows)])):
            if row != old or all_of_them:
                yield self._change(position, INSERT if old is None else UPDATE, side, row)
        for position in range(len(told) - 1, len(rows) - 1, -1):
            yield self._change(position, DELETE, side, None)

    def _change(self, position: int, operation: int, side: int, row: DepthRow | None) -> Message:
        if self._names_makers:
            return say.depth_by_maker(self.request_id, position, operation, side, row, self._is_smart)
        return say.depth(self.request_id, position, operation, side, row)


class TradeFeed(TickSubscription):
    """Every trade of one contract."""

    def __init__(self, request_id: int, conid: int, kind: str, since: datetime) -> None:
        super().__init__()
        self.request_id, self.conid = request_id, conid
        self._kind = TRADE_KINDS[kind]
        self._since = since
        self._waiting: deque[Print] = deque()

    def ticks(self, state: "GatewayState", now: datetime) -> list[Tick]:
        since, self._since = self._since, now
        if not state.faults.is_silent(self.conid):
            self._waiting += state.broker.prints(self.conid, since, now)
        prints = [self._waiting.popleft() for _ in range(min(TICKS_MAX, len(self._waiting)))]
        next_look = max(now + TICKS_EVERY, state.broker.next_change(self.conid, now))
        self.due_at = now if self._waiting else next_look
        return [
            ((each.at, TRADE), say.tick_by_tick_trade(self.request_id, self._kind, each)) for each in prints
        ]


class QuoteFeed(TickSubscription):
    """Every change of the touch, or of its middle."""

    def __init__(self, request_id: int, conid: int, kind: str, *, ignores_size: bool = False) -> None:
        super().__init__()
        self.request_id, self.conid = request_id, conid
        self._wants_mid = kind == "MidPoint"
        self._ignores_size = ignores_size
        self._since: datetime | None = None
        self._told: object = None

    def ticks(self, state: "GatewayState", now: datetime) -> list[Tick]:
        if state.faults.is_silent(self.conid):
            self._since, self.due_at = now, now + TICKS_EVERY
            return []
        told = (self._tick(state, at) for at in self._moments(state, now))
        return [tick for tick in told if tick is not None]

    def _moments(self, state: "GatewayState", now: datetime) -> list[datetime]:
        """When the quote may have become another one since the last look: now, where nobody can say."""
        change, moments = state.broker.next_change, list[datetime]()
        at = now if self._since is None else self._since
        if self._since is None or change(self.conid, at) <= at:
            at = now
            moments.append(now)
        while len(moments) < TICKS_MAX and at < (following := change(self.conid, at)) <= now:
            moments.append(following)
            at = following
        is_behind = len(moments) == TICKS_MAX
        self._since = at if is_behind else now
        self.due_at = now if is_behind else max(now + TICKS_EVERY, change(self.conid, now))
        return moments

    def _tick(self, state: "GatewayState", at: datetime) -> Tick | None:
        quote = state.broker.quote(self.conid, at)
        bid, ask = quote.bid, quote.ask
        if bid is None or ask is None:
            return None
        if state.faults.crossed_quotes:
            bid, ask = ask, bid
        mid = (bid + ask) / 2
        sizes = quote.bid_size, quote.ask_size
        watched = (0, 0) if self._ignores_size else sizes
        touch = mid if self._wants_mid else (bid, ask, *watched, state.faults.price_text)
        if touch == self._told:
            return None
        self._told = touch
        if self._wants_mid:
            return (at, QUOTE), say.tick_by_tick_mid(self.request_id, at, mid)
        return (at, QUOTE), say.tick_by_tick_quote(self.request_id, at, bid, ask, *sizes)
