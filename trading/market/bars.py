"""Bars of a minute from pieces of five seconds; a part of a minute says that it is one.

A minute is told with its last piece, else when a piece of a later one comes (pieces come in order) or when
its time is long over. A piece that comes after that has the minute told again, with the same key; pieces of
a session's outside are refused. A minute of pieces is the bar of its prints, so a piece in which nothing
traded, which repeats the price before it, says nothing of a minute in which something did.

A minute that history told after a hole stands: a late piece would put a part of it in its place. Keep out:
bars that a vendor tells whole, asking history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from trading.market.minute_holes import MinuteHoles
from trading.market.numbers import NUMBER_LIMIT, PRICE_LEAST, decimal_of
from trading.model.market import Bar, BarOf, BarOrigin, RefusedRow

PIECE_S = 5
COUNT_LIMIT = 2**31 - 1  # the broker's "unset"
MINUTE_S = 60
PIECES = MINUTE_S // PIECE_S
MINUTE = timedelta(seconds=MINUTE_S)
GRACE = timedelta(seconds=30)  # broker time: on a fast simulated day, the blink of an eye
MINUTES_KEPT = 10  # a piece of a minute before these is refused
AVERAGE_PLACES = Decimal("0.000001")
BARS_WAITING_MAX = 2_000


@dataclass(frozen=True, slots=True)
class _Piece:
    """Prices, volume, average and count of a piece; None where the source has none."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    average: Decimal | None
    trades: int | None


class MinuteBars:
    """One instrument's pieces on their way to minutes."""

    def __init__(
        self,
        symbol: str,
        instrument_id: str,
        *,
        of: BarOf = BarOf.TRADES,
        conid: int | None = None,
    ) -> None:
        self.symbol, self.instrument_id, self.of, self.conid = symbol, instrument_id, of, conid
        self._bounds: tuple[datetime, datetime] | None = None
        self._minutes: dict[datetime, dict[int, _Piece]] = {}
        self._open: datetime | None = None  # the minute that is not told yet
        self._due: dict[datetime, None] = {}  # minutes to tell, in their order
        self._refilled = MinuteHoles()  # all but what history told
        self._to_tell: list[Bar] = []  # of those
        self.holes = MinuteHoles()
        self._refused: list[RefusedRow] = []
        self.refused = 0
        self.told_again = 0

    def begin_session(self, opens_at: datetime, closes_at: datetime) -> None:
        """Take pieces from the session's open to its close only."""
        self._bounds = (opens_at, closes_at)
        self.holes.begin_session(opens_at, closes_at)
        self._refilled.begin_session(opens_at, closes_at)

    def refill(
        self, at: datetime, prices: Sequence[float], volume: float, average: float, count: int
    ) -> bool:
        """Hear a whole minute from history; False where it is none."""
        reason = "a time between the minutes" if at.second else self._reason_against(at, prices)
        if reason:
            self._refuse(reason, f"{at.isoformat()} {list(prices)!r} {volume!r}", at)
            return False
        told = {0: _piece(prices, volume, average, count)}
        self._to_tell.append(self._made_of(at, told, BarOrigin.REFILLED))
        self._refilled.fill((at,))
        self._due.pop(at, None)
        self.holes.fill((at,))
        return True

    def piece(self, at: datetime, prices: Sequence[float], volume: float, average: float, count: int) -> None:
        """Hear five seconds from `at` on: open, high, low, close; a volume of -1 is none."""
        reason = self._reason_against(at, prices) or self._reason_against_piece(at)
        if reason:
            self._refuse(reason, f"{at.isoformat()} {list(prices)!r} {volume!r}", at)
        elif not self._refilled.is_filled(at.replace(second=0)):
            self._take(at, _piece(prices, volume, average, count))

    def advance(self, at: datetime) -> None:
        """Let the market's time pass: the open minute is told when it is over."""
        if self._open is not None and at >= self._open + MINUTE + GRACE:
            self._due[self._open] = None
            self._open = None

    def flush(self) -> tuple[Bar, ...]:
        """Tell the minutes that are due."""
        due, self._due = sorted(self._due), {}
        refilled, self._to_tell = self._to_tell, []
        bars = (*refilled, *(self._bar(minute) for minute in due))
        for minute in sorted(self._minutes)[:-MINUTES_KEPT]:
            del self._minutes[minute]
        return bars

    def flush_refused(self) -> tuple[RefusedRow, ...]:
        """Tell what was refused since the last flush."""
        told, self._refused = self._refused, []
        return tuple(told)

    def _reason_against(self, at: datetime, prices: Sequence[float]) -> str:
        open_, high, low, close = prices
        if not (PRICE_LEAST <= low <= open_ <= high < NUMBER_LIMIT and low <= close <= high):
            return "prices that are none"
        if at.second % PIECE_S or at.microsecond:
            return "a time between the pieces"
        if self._bounds and not self._bounds[0] <= at < self._bounds[1]:
            return "outside the session"
        return ""

    def _reason_against_piece(self, at: datetime) -> str:
        if self._minutes and at < min(self._minutes):
            return "too late"  # what was told of that minute is forgotten: a part of it must not replace it
        return ""

    def _take(self, at: datetime, piece: _Piece) -> None:
        minute = at.replace(second=0)
        pieces = self._minutes.get(minute)
        if pieces is not None and pieces.get(at.second) == piece:
            return  # told again after the line was asked for anew
        if self._open is None and minute not in self._minutes:
            self._open = minute
        elif self._open is not None and minute > self._open:
            self._due[self._open] = None
            self._open = minute
        elif minute != self._open:  # late: told again
            self._due[minute] = None
            self.told_again += 1
        pieces = self._minutes.setdefault(minute, {})
        pieces[at.second] = piece
        if len(pieces) == PIECES and minute == self._open:
            self._due[minute] = None
            self._open = None

    def _bar(self, minute: datetime) -> Bar:
        pieces = self._minutes[minute]
        is_whole = len(pieces) == PIECES
        if is_whole:
            self.holes.fill((minute,))
        return self._made_of(minute, pieces, BarOrigin.TOLD if is_whole else BarOrigin.PARTIAL)

    def _made_of(self, at: datetime, pieces: Mapping[int, _Piece], origin: BarOrigin) -> Bar:
        ordered = [pieces[second] for second in sorted(pieces)]
        traded = [piece for piece in ordered if piece.volume != 0] or ordered
        return Bar(
            symbol=self.symbol,
            instrument_id=self.instrument_id,
            at=at,
            seconds=MINUTE_S,
            open=traded[0].open,
            high=max(piece.high for piece in traded),
            low=min(piece.low for piece in traded),
            close=traded[-1].close,
            volume=_sum([piece.volume for piece in ordered]),
            average=_average(ordered),
            trades=_count([piece.trades for piece in ordered]),
            of=self.of,
            conid=self.conid,
            origin=origin,
        )

    def _refuse(self, reason: str, payload: str, at: datetime) -> None:
        self.refused += 1
        if len(self._refused) < BARS_WAITING_MAX:
            self._refused.append(
                RefusedRow(
                    symbol=self.symbol,
                    feed="bar",
                    at=at,
                    field=self.instrument_id,
                    reason=reason,
                    payload=payload,
                )
            )


def _piece(prices: Sequence[float], volume: float, average: float, count: int) -> _Piece:
    """Numbers of the wire; a volume of -1 is none, and so is an average of nothing."""
    open_, high, low, close = map(decimal_of, prices)
    has_volume = 0 <= volume < NUMBER_LIMIT
    return _Piece(
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=decimal_of(volume) if has_volume else None,
        average=decimal_of(average) if has_volume and 0 < average < NUMBER_LIMIT else None,
        trades=count if 0 <= count < COUNT_LIMIT else None,
    )


def _sum(volumes: Sequence[Decimal | None]) -> Decimal | None:
    told = [volume for volume in volumes if volume is not None]
    return sum(told, Decimal(0)) if told else None


def _count(counts: Sequence[int | None]) -> int | None:
    told = [count for count in counts if count is not None]
    return sum(told) if told else None


def _average(pieces: Sequence[_Piece]) -> Decimal | None:
    """The pieces' averages by their volumes; None where nothing traded."""
    traded = [(piece.average, piece.volume) for piece in pieces if piece.average and piece.volume]
    volume = sum((size for _, size in traded), Decimal(0))
    if not volume:
        return None
    notional = sum((average * size for average, size in traded), Decimal(0))
    return (notional / volume).quantize(AVERAGE_PLACES)
