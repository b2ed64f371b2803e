"""Subscriptions to bars: five seconds that are over, and the bar of now behind a historical request."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from simulation.broker.questions import Bar
from simulation.tws.replies import Message
from simulation.tws.replies import history as say
from simulation.tws.subscriptions import Subscription

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

PIECE_S: Final = 5
PIECE: Final = timedelta(seconds=PIECE_S)
AT_ONCE_MAX_S: Final = 4 * 3_600  # what is looked back for at most when the clock jumped
AVERAGE_DIGITS: Final = 6


class RealTimeBarFeed(Subscription):
    """Each five seconds when they are over; those without a trade repeat the last price without volume."""

    def __init__(self, request_id: int, conid: int, what: str, now: datetime) -> None:
        super().__init__()
        self.request_id, self.conid, self.what = request_id, conid, what
        self._told_until = floor_of(now, PIECE_S)
        self._close: Decimal | None = None
        self.due_at = self._told_until + PIECE

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        since, end = self._told_until, floor_of(now, PIECE_S)
        self._told_until, self.due_at = end, end + PIECE
        if end <= since or state.faults.is_silent(self.conid):
            return []
        since = max(since, end - timedelta(seconds=AT_ONCE_MAX_S))
        seconds = int((end - since).total_seconds())
        traded = {bar.at: bar for bar in state.broker.bars(self.conid, end, seconds, PIECE_S, self.what)}
        quote = state.broker.quote(self.conid, now)
        if self._close is None:
            self._close = quote.last
        slots = (since + n * PIECE for n in range(seconds // PIECE_S))
        is_open = quote.bid is not None
        return [
            say.real_time_bar(self.request_id, bar) for bar in self._filled(slots, traded, is_open=is_open)
        ]

    def _filled(
        self, slots: Iterator[datetime], traded: dict[datetime, Bar], *, is_open: bool
    ) -> Iterator[Bar]:
        for at in slots:
            bar = traded.get(at)
            if bar is None and is_open and self._close is not None:
                bar = _quiet(at, self._close)
            if bar is not None:
                self._close = bar.close
                yield bar


class BarOfNow(Subscription):
    """The bar that is not over yet, built from pieces of five seconds; its last state when it is over."""

    def __init__(
        self, request_id: int, conid: int, what: str, form: say.BarForm, last: Bar | None, now: datetime
    ) -> None:
        super().__init__()
        self.request_id, self.conid, self.what, self.form = request_id, conid, what, form
        self._length = timedelta(seconds=form.bar_s)
        self._anchor = last.at if last else floor_of(now, form.bar_s)
        ends, told = self._anchor + self._length, floor_of(now, PIECE_S)
        is_under_way = last is not None and ends > told
        self._until = told if is_under_way else ends if last else self._anchor
        self._bar: Bar | None = last if is_under_way else None

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        end = floor_of(now, PIECE_S)
        self.due_at = end + PIECE
        since = max(self._until, end - timedelta(seconds=AT_ONCE_MAX_S))
        self._until = max(self._until, end)
        if end <= since or state.faults.is_silent(self.conid):
            return []
        seconds = int((end - since).total_seconds())
        pieces = state.broker.bars(self.conid, end, seconds, PIECE_S, self.what)
        over = [bar for bar in (self._add(piece) for piece in pieces) if bar is not None]
        told = [*over, self._bar] if pieces and self._bar is not None else over
        return [say.bar_update(self.request_id, bar, self.form) for bar in told]

    def _add(self, piece: Bar) -> Bar | None:
        """Take a piece in; the bar that it ended, if it did."""
        begins = piece.at - (piece.at - self._anchor) % self._length
        if self._bar is not None and begins == self._bar.at:
            self._bar = joined(self._bar, piece)
            return None
        over, self._bar = self._bar, replace(piece, at=begins)
        return over


def joined(bar: Bar, piece: Bar) -> Bar:
    """One bar of two that follow each other."""
    if bar.volume < 0:  # of quotes: no volume, no average, no count
        return replace(bar, high=max(bar.high, piece.high), low=min(bar.low, piece.low), close=piece.close)
    volume = bar.volume + piece.volume
    value = bar.average * bar.volume + piece.average * piece.volume
    return Bar(
        at=bar.at,
        open=bar.open,
        high=max(bar.high, piece.high),
        low=min(bar.low, piece.low),
        close=piece.close,
        volume=volume,
        average=round(value / volume, AVERAGE_DIGITS) if volume else piece.average,
        count=bar.count + piece.count,
    )


def _quiet(at: datetime, price: Decimal) -> Bar:
    return Bar(at=at, open=price, high=price, low=price, close=price, volume=0, average=price, count=0)


def floor_of(at: datetime, seconds: int) -> datetime:
    """The moment before that is a multiple of some seconds."""
    whole = int(at.timestamp()) // seconds * seconds
    return datetime.fromtimestamp(whole, UTC)
