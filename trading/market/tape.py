"""Prints of one instrument, signed: who crossed the spread, by the quote that stood when it printed.

Quote rule (Lee and Ready 1991, without their five seconds of delay, which today's feeds do not have): at or
above the ask, or above the middle, is a buy; at or below the bid, or below the middle, a sell. At the middle,
in a locked or crossed quote, or without a quote, the tick rule: the last change of price says it. Else
unknown.

What can lose money here: a print signed by the quote that came after it (a bounded history of quotes is
looked up before the print's own millisecond: on recorded tapes a quote of the same one is what the print
left, and signing by it moves a tenth of all prints from the touch to the inside), a print that is counted
twice (an instrument has one source, and what the other feed tells is left aside; a text that is told again
after a line was asked for anew is one print), prints that were lost and are not missed (`print_holes`), and a
print of yesterday that is told as today's news, as a broker tells the last one when a line opens: it would be
added to a session whose totals are settled.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from trading.calendar import POST_MARKET, previous_session, session_close, trading_session
from trading.market.numbers import NUMBER_LIMIT, PRICE_LEAST, decimal_of
from trading.market.print_holes import PrintHole, PrintHoles
from trading.market.tape_audit import TapeAudit
from trading.model.market import Aggressor, Quote, RefusedRow, SignedBy, Trade

TOUCHES_KEPT = 1_024
TOUCHES_KEPT_FOR = timedelta(minutes=30)  # no print is later; else those of a quiet name pile up all day
PRINTS_WAITING_MAX = 100_000  # between two flushes; more are counted as lost
REFUSED_PER_FLUSH_MAX = 1_000
TOO_MANY = f"more than {PRINTS_WAITING_MAX} prints came between two flushes"
AHEAD_MAX = timedelta(hours=1)  # of the market's clock; a second of a fast simulated day is minutes
LATE_MAX = timedelta(minutes=30)  # of a print of the session before; delayed data are 15 to 20
TIMES_KEPT = 64  # distinct times whose prints are numbered
AMOUNTS_CACHED = 8_192  # 4 MB; the same prices and sizes come again and again
TEXT_TIME, TICK_TIME = timedelta(milliseconds=1), timedelta(seconds=1)  # what a print's time is cut to
RT_FIELDS = 6  # price;size;time in ms;volume of the session;average;by one market maker
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS, LATEST_MS = 631_152_000_000, 4_102_444_800_000  # 1990 to 2100


class PrintSource(StrEnum):
    """Which feed an instrument's prints are taken from."""

    RT_VOLUME = "rt_volume"
    TICK_BY_TICK = "tick_by_tick"


class Signer:
    """Quotes as they stood and the last change of price: what a print's aggressor follows from."""

    __slots__ = ("_asks", "_bids", "_direction", "_forget_at", "_last", "_times")

    def __init__(self) -> None:
        self._forget_at: datetime | None = None
        self._times: list[datetime] = []
        self._bids: list[float | None] = []
        self._asks: list[float | None] = []
        self._last: Decimal | None = None
        self._direction = Aggressor.UNKNOWN

    def touch(self, bid: float | None, ask: float | None, at: datetime) -> None:
        """Hear how bid and ask stand from `at` on."""
        times = self._times
        if times and at < times[-1]:
            at = times[-1]  # feeds are heard in order; a clock that was set back makes no older quote
        times.append(at)
        self._bids.append(bid)
        self._asks.append(ask)
        if self._forget_at is None or at >= self._forget_at or len(times) >= 2 * TOUCHES_KEPT:
            self._forget(at)

    def _forget(self, at: datetime) -> None:
        """Forget what no print is signed by any more; what stood longest ago is the quote of its time."""
        self._forget_at = at + TOUCHES_KEPT_FOR / 2
        begun = bisect_right(self._times, at - TOUCHES_KEPT_FOR) - 1
        old = max(0, begun, len(self._times) - TOUCHES_KEPT)
        for kept in (self._times, self._bids, self._asks):
            del kept[:old]

    def stood(self, at: datetime, *, is_before: bool = False) -> tuple[Decimal | None, Decimal | None]:
        """Return bid and ask at a moment; `is_before` leaves out quotes of that very moment."""
        place = (bisect_left if is_before else bisect_right)(self._times, at) - 1
        if place < 0:
            return None, None
        bid, ask = self._bids[place], self._asks[place]
        return None if bid is None else decimal_of(bid), None if ask is None else decimal_of(ask)

    def sign(self, price: Decimal, bid: Decimal | None, ask: Decimal | None) -> tuple[Aggressor, SignedBy]:
        """Say who crossed the spread, and remember the price."""
        by_tick = self._by_tick(price)
        by_quote = side_of(price, bid, ask)
        if by_quote is not Aggressor.UNKNOWN:
            return by_quote, SignedBy.QUOTE
        return by_tick, SignedBy.NONE if by_tick is Aggressor.UNKNOWN else SignedBy.TICK

    def _by_tick(self, price: Decimal) -> Aggressor:
        if self._last is not None and price != self._last:
            self._direction = Aggressor.BUY if price > self._last else Aggressor.SELL
        self._last = price
        return self._direction


def side_of(price: Decimal, bid: Decimal | None, ask: Decimal | None) -> Aggressor:
    """The quote rule; UNKNOWN where the quote does not say it."""
    if bid is not None and ask is not None:
        if bid >= ask:
            return Aggressor.UNKNOWN
        above = price + price - bid - ask
        if not above:
            return Aggressor.UNKNOWN
        return Aggressor.BUY if above > 0 else Aggressor.SELL
    if ask is not None and price >= ask:
        return Aggressor.BUY
    if bid is not None and price <= bid:
        return Aggressor.SELL
    return Aggressor.UNKNOWN


def signed_trades(trades: Iterable[Trade], quotes: Iterable[Quote]) -> Iterator[Trade]:
    """Sign one instrument's recorded prints by its recorded quotes; both come in the order of their time."""
    signer = Signer()
    coming = iter(quotes)
    quote = next(coming, None)
    bid = ask = None
    for trade in trades:
        while quote is not None and quote.at < trade.at:
            bid, ask = quote.bid, quote.ask
            quote = next(coming, None)
        aggressor, signed_by = signer.sign(trade.price, bid, ask)
        yield replace(trade, aggressor=aggressor, signed_by=signed_by, bid=bid, ask=ask)


class Tape:
    """One instrument's prints since the last flush."""

    def __init__(
        self,
        symbol: str,
        instrument_id: str,
        *,
        source: PrintSource,
        conid: int | None = None,
    ) -> None:
        self.symbol, self.instrument_id, self.source, self.conid = symbol, instrument_id, source, conid
        self.signer = Signer()
        self._prints: list[Trade] = []
        self._refused: list[RefusedRow] = []
        self._ordinals: dict[datetime, int] = {}
        self._newest: deque[datetime] = deque()
        self._text: str | None = None
        self._holes = PrintHoles()
        self._audit = TapeAudit()
        self.texts_at: datetime | None = None  # when level 1 told a print that was left aside
        self._known_until: datetime | None = None  # by the process before, until the first print
        self._total: float | None = None  # whole shares: a float holds them exactly
        self.total = 0
        self.refused = 0
        self.lost = 0  # prints beyond PRINTS_WAITING_MAX
        self.told_again = 0
        self.volume_missed = Decimal(0)  # by the running total of the texts

    def touch(self, bid: float | None, ask: float | None, at: datetime) -> None:
        """Hear how bid and ask stand from `at` on."""
        self.signer.touch(bid, ask, at)

    def begin_line(self) -> None:
        """A new line: its running total is another one; its first text may be the last one's again."""
        self._total = None

    def resume(self, last: datetime, reason: str) -> None:
        """A process before this one heard its last print then."""
        self._known_until = last
        self._holes.resume(last, reason)

    def lose(self, reason: str, at: datetime) -> None:
        """Its prints are not heard from here on: there is a hole until the next one."""
        self._holes.begin(reason, at)

    def rt_volume(self, text: str, at: datetime) -> None:
        """Hear a print as text (generic tick 233); a text without a price is a volume, and no print."""
        if self.source is not PrintSource.RT_VOLUME:
            self._audit_text(text, at)
            return
        if text == self._text:
            self.told_again += 1
            return
        try:
            price, size, milliseconds, total = _rt_fields(text)
        except ValueError as error:
            self._refuse("text", str(error), text, at)
            return
        if EPOCH + timedelta(milliseconds=milliseconds) > at + AHEAD_MAX:
            self._refuse("time", f"expected a time until {at + AHEAD_MAX}", text, at)
            return
        self._text = text
        if price is None or size is None or not size:
            return
        printed_at = EPOCH + timedelta(milliseconds=milliseconds)
        if self._is_stale(printed_at, text, at) or self._is_known(printed_at):
            return
        self._count_volume(size, total, max(printed_at + TEXT_TIME, at))
        self._add(price, size, printed_at, None, "", "", at)

    def print_(
        self, epoch_s: int, price: float, size: float, exchange: str, conditions: str, at: datetime
    ) -> None:
        """Hear a print tick by tick. Its time is in whole seconds, so the quote is that of its hearing."""
        if self.source is not PrintSource.TICK_BY_TICK:
            return
        if not (PRICE_LEAST <= price < NUMBER_LIMIT and 0 < size < NUMBER_LIMIT):
            self._refuse("price", "no print", f"{price!r} x {size!r}", at)
            return
        if not EARLIEST_MS <= epoch_s * 1000 < LATEST_MS:
            self._refuse("time", "no time", repr(epoch_s), at)
            return
        printed_at = EPOCH + timedelta(seconds=epoch_s)
        if printed_at > at + AHEAD_MAX:
            self._refuse("time", f"expected a time until {at + AHEAD_MAX}", repr(epoch_s), at)
            return
        if self._is_stale(printed_at, repr(epoch_s), at):
            return
        shares = decimal_of(size)
        self._audit.tick(printed_at, shares)
        self._add(decimal_of(price), shares, printed_at, at, exchange, conditions, at)

    def flush(self) -> tuple[Trade, ...]:
        """Tell the prints since the last flush, in the order in which they were heard."""
        told, self._prints = self._prints, []
        return tuple(told)

    def flush_refused(self) -> tuple[RefusedRow, ...]:
        """Tell what was refused since the last flush."""
        told, self._refused = self._refused, []
        return tuple(told)

    def flush_holes(self) -> tuple[PrintHole, ...]:
        """Tell where prints may be missing, as far as it was found since the last flush."""
        missing = self._audit.missing()
        if missing is not None:
            self.volume_missed += missing[2]
            self._holes.miss(missing[2], missing[1], missing[0])
        return self._holes.flush()

    def _add(
        self,
        price: Decimal,
        size: Decimal,
        printed_at: datetime,
        quoted_at: datetime | None,
        exchange: str,
        conditions: str,
        at: datetime,
    ) -> None:
        if quoted_at is None:  # the quote of the print's own millisecond is the one it left behind
            bid, ask = self.signer.stood(printed_at, is_before=True)
        else:
            bid, ask = self.signer.stood(quoted_at)
        aggressor, signed_by = self.signer.sign(price, bid, ask)
        self.total += 1
        if len(self._prints) >= PRINTS_WAITING_MAX:
            self.lost += 1
            self._holes.begin(TOO_MANY, at)
            return
        self._holes.heard(printed_at, printed_at + (TEXT_TIME if quoted_at is None else TICK_TIME), at)
        self._prints.append(
            Trade(
                symbol=self.symbol,
                instrument_id=self.instrument_id,
                at=printed_at,
                price=price,
                size=size,
                exchange=exchange,
                conditions=conditions,
                aggressor=aggressor,
                signed_by=signed_by,
                bid=bid,
                ask=ask,
                ordinal=self._ordinal(printed_at),
                conid=self.conid,
            )
        )

    def _ordinal(self, at: datetime) -> int:
        """Count prints of one time, also when another comes between."""
        ordinal = self._ordinals.get(at)
        if ordinal is None:
            self._newest.append(at)
            if len(self._newest) > TIMES_KEPT:
                del self._ordinals[self._newest.popleft()]
        self._ordinals[at] = 0 if ordinal is None else ordinal + 1
        return self._ordinals[at]

    def _audit_text(self, text: str, at: datetime) -> None:
        """A print that is told tick by tick, too: its running total says whether all were."""
        try:
            price, size, milliseconds, total = _rt_fields(text)
        except ValueError:
            return  # level 1 is another feed, and nothing is lost
        if price is not None and size:
            self.texts_at = at
            self._audit.text(EPOCH + timedelta(milliseconds=milliseconds), decimal_of(total))

    def _count_volume(self, size: Decimal, total: float, until: datetime) -> None:
        if self._total is not None and total - self._total > size:
            missed = decimal_of(total) - decimal_of(self._total) - size
            self.volume_missed += missed
            self._holes.miss(missed, until)
        self._total = total

    def _is_stale(self, printed_at: datetime, payload: str, at: datetime) -> bool:
        """Refuse a print of an earlier session than the one that is heard, unless it is just late."""
        if at - printed_at <= LATE_MAX:
            return False
        session = trading_session(at)
        since = session_close(previous_session(session)) + POST_MARKET
        if printed_at >= since:
            return False
        expected = f"expected a time of the session {session}, or at most {LATE_MAX} late at {at}"
        self._refuse("time", f"{expected}, was {printed_at}", payload, at)
        return True

    def _is_known(self, printed_at: datetime) -> bool:
        """A line opens with the last print: the one that the process before this heard ends no hole."""
        until, self._known_until = self._known_until, None
        is_known = until is not None and printed_at <= until
        self.told_again += is_known
        return is_known

    def _refuse(self, field: str, reason: str, payload: str, at: datetime) -> None:
        self.refused += 1
        if len(self._refused) < REFUSED_PER_FLUSH_MAX:
            self._refused.append(
                RefusedRow(
                    symbol=self.symbol,
                    feed="trade",
                    at=at,
                    field=f"{self.instrument_id} {field}",
                    reason=reason,
                    payload=payload,
                )
            )


def _rt_fields(text: str) -> tuple[Decimal | None, Decimal | None, int, float]:
    """Price, size, milliseconds, running total; no price and no size where only the volume is told."""
    parts = text.split(";")
    if len(parts) != RT_FIELDS:
        raise ValueError(f"expected {RT_FIELDS} fields, was {len(parts)}")
    if not (parts[2].isascii() and parts[2].isdigit()) or not EARLIEST_MS <= int(parts[2]) < LATEST_MS:
        raise ValueError("expected a time in milliseconds")
    price = _amount("price", parts[0]) if parts[0] else None
    size = _amount("size", parts[1]) if parts[1] else None
    if price is not None and not price:
        raise ValueError("expected a positive price")
    return price, size, int(parts[2]), _number("volume", parts[3] or "0")


@lru_cache(maxsize=AMOUNTS_CACHED)
def _amount(field: str, text: str) -> Decimal:
    """A number that is not negative, by way of its float: sizes come as 1.0000000 and 1."""
    return decimal_of(_number(field, text))


def _number(field: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"expected a number as {field}") from None
    if not 0 <= number < NUMBER_LIMIT:
        raise ValueError(f"expected a number that is not negative as {field}")
    return number
