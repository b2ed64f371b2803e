"""A recorded market as the broker and the gateway ask of it: touches, prints, bars, values of the moment.

Messages get the recorded price to the last digit; matching works in cents, so there a touch is rounded
outwards and a print to the nearest. Only the touch is recorded, so a book has one level. Model values are
those of the files (the day's end); where there are none, none are told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Greeks, Quote
from simulation.broker.questions import Bar, Depth, DepthRow, Print
from simulation.market.lean_names import SCALE
from simulation.market.parts import BARS_MOST, Touch, Traded, check_span
from simulation.market.paths import epoch, moment_of
from simulation.market.replay_recording import Recording
from simulation.market.replay_tapes import PrintTape, Span, State, TouchTape
from simulation.sample_desk.contracts import Contract, Underlying, share_of

SCALE_PER_CENT = SCALE // 100
EPOCH, MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)
AVERAGE_PLACES = Decimal("0.000001")
UNKNOWN_MAKER = "SMART"
EXCHANGES = {
    "A": "AMEX", "B": "NASDAQ.BX", "C": "NSX", "D": "FINRA", "J": "EDGEA", "K": "DRCTEDGE", "M": "CHX",
    "N": "NYSE", "P": "ARCA", "Q": "ISLAND", "T": "ISLAND", "W": "CBSX", "X": "PSX", "Y": "BYX", "Z": "BATS",
}  # fmt: skip  # the consolidated tape's letters


@dataclass(slots=True)
class RecordedQuotes:
    """Touches, spots, recorded greeks and open interest."""

    recording: Recording

    def touch(self, contract: Contract, second: int) -> Touch | None:
        """The touch that stood at the end of a second; None where there was no ask."""
        bid, ask, bid_size, ask_size = self._state(contract, second * 1000 + 999)
        if not ask:
            return None
        return Touch(bid // SCALE_PER_CENT, -(-ask // SCALE_PER_CENT), bid_size, ask_size)

    def spot_cents(self, underlying: Underlying, second: int) -> int:
        """The last trade or value; before the session's first the first, without any the universe's close."""
        return round(self._spot(underlying, second) * 100)

    def fair_cents(self, contract: Contract, second: int) -> float:
        """Between bid and ask, else the last trade, else what exercise gives; after the close as at it."""
        if contract.asset != "OPT":
            return float(self.spot_cents(contract.underlying, second)) if contract.underlying else 0.0
        session = self.recording.session_at(second * 1000)
        span = self.recording.span(contract, session)
        at_ms = min(second * 1000 + 999, span.closes_ms - 1)
        bid, ask, _, _ = self._state(contract, at_ms)
        if bid and ask:
            return (bid + ask) / 2 / SCALE_PER_CENT
        tape = self.recording.prints(contract, session)
        place = tape.place(at_ms)
        if place >= 0:
            return tape.price[place] / SCALE_PER_CENT
        spot = self.spot_cents(contract.underlying, second) if contract.underlying else 0
        return float(max(contract.intrinsic_cents(spot), ask // 2 // SCALE_PER_CENT))

    def greeks(self, contract: Contract, now: datetime) -> Greeks | None:
        """The session's recorded values."""
        return self.recording.greeks(contract, self.recording.session_at(_ms(now)))

    def open_interest(self, contract: Contract, session: date) -> int:
        """As the session's file tells it; 0 where it does not."""
        return self.recording.interest(contract, session) or 0

    def depth(self, contract: Contract, rows: int, now: datetime) -> Depth | None:
        """The touch as a book of one level."""
        bid, ask, bid_size, ask_size = self._state(contract, _ms(now))
        if not bid and not ask:
            return None
        return Depth(bids=_level(bid, bid_size), asks=_level(ask, ask_size))

    def calm_s(self, contract: Contract, second: int, cents: int) -> int:
        """Never sure: recorded prices jump."""
        return 0

    def _state(self, contract: Contract, at_ms: int) -> State:
        tape = self.recording.touches(contract, self.recording.session_at(at_ms))
        return tape.state(tape.place(at_ms))

    def _spot(self, underlying: Underlying, second: int) -> Decimal:
        at_ms = second * 1000 + 999
        session = self.recording.session_at(at_ms)
        if underlying.is_index:
            values = self.recording.values(underlying, session)
            if values.at:
                return Decimal(values.bid[max(0, values.place(at_ms))]) / SCALE
        else:
            prints = self.recording.prints(share_of(underlying), session)
            if prints.at:
                return Decimal(prints.price[max(0, prints.place(at_ms))]) / SCALE
        return self.recording.universe_spot(underlying, session) or Decimal(0)


@dataclass(slots=True)
class RecordedTape:
    """Prints, quotes with their last trade, bars; when the next news of a contract comes."""

    recording: Recording

    def quote(self, contract: Contract, now: datetime) -> Quote:
        """Touch, last trade and the session's volume; an index has only its value, as the last trade."""
        at_ms = _ms(now)
        session = self.recording.session_at(at_ms)
        if contract.asset == "STK" and contract.settles_in_cash and contract.underlying is not None:
            values = self.recording.values(contract.underlying, session)
            place = values.place(at_ms)
            value = _dollars(values.bid[place]) if place >= 0 else None
            return Quote(at=now, bid=None, ask=None, bid_size=0, ask_size=0, last=value)
        touches = self.recording.touches(contract, session)
        bid, ask, bid_size, ask_size = touches.state(touches.place(at_ms))
        prints = self.recording.prints(contract, session)
        place = prints.place(at_ms)
        return Quote(
            at=now,
            bid=_dollars(bid) if bid else None,
            ask=_dollars(ask) if ask else None,
            bid_size=bid_size,
            ask_size=ask_size,
            last=_dollars(prints.price[place]) if place >= 0 else None,
            last_size=prints.size[place] if place >= 0 else 0,
            volume=prints.volume[place] if place >= 0 else 0,
        )

    def next_change(self, contract: Contract, now: datetime) -> datetime:
        """The first moment after now at which the quote is another one or something prints."""
        at_ms = _ms(now)
        session = self.recording.session_at(at_ms)
        for day in (session, *self.recording.later(session)):
            moments = [tape.at[place] for tape, place in self._next(contract, day, at_ms)]
            if moments:
                return _moment(min(moments))
        return NEVER

    def prints(self, contract: Contract, since: datetime, now: datetime) -> list[Print]:
        """Prints after `since` up to `now`."""
        return [
            _print(tape, place)
            for tape, first, last in self._pieces(contract, _ms(since), _ms(now))
            for place in range(first, last)
        ]

    def trades_at(self, contract: Contract, second: int) -> tuple[Traded, ...]:
        """The prints of one second, in cents; the side by the touch that stood."""
        touches = self.recording.touches(contract, self.recording.session_at(second * 1000))
        return tuple(
            _traded(tape, place, second, touches.state(touches.place(tape.at[place])))
            for tape, first, last in self._pieces(contract, second * 1000 - 1, second * 1000 + 999)
            for place in range(first, last)
        )

    def bars(self, contract: Contract, end: datetime, seconds: int, bar_s: int, what: str) -> list[Bar]:
        """Bars of `bar_s` seconds over the last `seconds`, the last one cut at `end`."""
        check_span(seconds, bar_s)
        last = epoch(end)
        found: list[Bar] = []
        for day in self.recording.days:
            span = self.recording.span(contract, day)
            if span.closes_ms > (last - seconds) * 1000 and span.opens_ms < last * 1000:
                found += self._bars(contract, day, span, (last - seconds, last), bar_s, what)
        return found[-BARS_MOST:]

    def _bars(
        self, contract: Contract, day: date, span: Span, between: tuple[int, int], bar_s: int, what: str
    ) -> Iterator[Bar]:
        has_volume = what == "TRADES" and not _is_value(contract)
        opens, closes = span.opens_ms // 1000, span.closes_ms // 1000
        points = list(self._points(contract, day, what))
        place, stands = 0, 0  # a quote or value that stands makes a bar without being told again
        for start in range(opens, min(closes, between[1]), bar_s):
            stop = min(start + bar_s, closes, between[1])
            is_told = place < len(points) and points[place][0] == start * 1000
            told = [] if has_volume or is_told else [(start * 1000, stands, 1)]
            while place < len(points) and points[place][0] < stop * 1000:
                told.append(points[place])
                stands = points[place][1]
                place += 1
            prices = [point for point in told if point[1]]
            if start >= between[0] and prices:
                yield _bar(start, prices, has_volume=has_volume)

    def _points(self, contract: Contract, day: date, what: str) -> Iterator[tuple[int, int, int]]:
        """Moment, price (0: none from here on) and size of what the bars are made of."""
        if _is_value(contract) and contract.underlying is not None:
            values = self.recording.values(contract.underlying, day)
            yield from ((at, value, 1) for at, value in zip(values.at, values.bid, strict=True))
        elif what == "TRADES":
            tape = self.recording.prints(contract, day)
            yield from zip(tape.at, tape.price, tape.size, strict=True)
        else:
            touches = self.recording.touches(contract, day)
            for place, at in enumerate(touches.at):
                bid, ask = touches.bid[place], touches.ask[place]
                yield at, {"BID": bid, "ASK": ask}.get(what, (bid + ask) // 2 if bid and ask else 0), 1

    def _next(self, contract: Contract, day: date, at_ms: int) -> Iterator[tuple[TouchTape | PrintTape, int]]:
        tapes: Sequence[TouchTape | PrintTape]
        if _is_value(contract) and contract.underlying is not None:
            tapes = (self.recording.values(contract.underlying, day),)
        else:
            tapes = (self.recording.touches(contract, day), self.recording.prints(contract, day))
        for tape in tapes:
            place = tape.place(at_ms) + 1
            if place < len(tape.at):
                yield tape, place

    def _pieces(self, contract: Contract, after_ms: int, to_ms: int) -> Iterator[tuple[PrintTape, int, int]]:
        """The parts of the print tapes that lie after a moment and up to another."""
        for day, begins_ms in zip(self.recording.days, self.recording.begins_ms, strict=True):
            if begins_ms > to_ms:
                return
            tape = self.recording.prints(contract, day)
            if tape.at and tape.at[-1] > after_ms:
                yield tape, tape.place(after_ms) + 1, tape.place(to_ms) + 1


def _print(tape: PrintTape, place: int) -> Print:
    letter = tape.exchanges[place] if tape.exchanges else ""
    return Print(
        at=_moment(tape.at[place]),
        price=_dollars(tape.price[place]),
        size=tape.size[place],
        exchange=EXCHANGES.get(letter, letter),
        conditions=tape.conditions[place] if tape.conditions else "",
    )


def _traded(tape: PrintTape, place: int, second: int, state: State) -> Traded:
    bid, ask, _, _ = state
    price = tape.price[place]
    side = 1 if ask and price >= ask else -1 if bid and price <= bid else 0
    letter = tape.exchanges[place] if tape.exchanges else ""
    cents = (price + SCALE_PER_CENT // 2) // SCALE_PER_CENT
    return Traded(second, cents, tape.size[place], side, EXCHANGES.get(letter, letter))


def _bar(start: int, points: Sequence[tuple[int, int, int]], *, has_volume: bool) -> Bar:
    prices = [price for _, price, _ in points]
    volume = sum(size for _, _, size in points)
    money = sum(price * size for _, price, size in points)
    average = (Decimal(money) / volume / SCALE).quantize(AVERAGE_PLACES) if volume else _dollars(prices[-1])
    return Bar(
        at=moment_of(start),
        open=_dollars(prices[0]),
        high=_dollars(max(prices)),
        low=_dollars(min(prices)),
        close=_dollars(prices[-1]),
        volume=volume if has_volume else -1,
        average=average if has_volume else Decimal(-1),
        count=len(points) if has_volume else -1,
    )


def _level(price: int, size: int) -> tuple[DepthRow, ...]:
    return (DepthRow(price=_dollars(price), size=size, maker=UNKNOWN_MAKER),) if price else ()


def _is_value(contract: Contract) -> bool:
    return contract.asset == "STK" and contract.settles_in_cash


def _dollars(scaled: int) -> Decimal:
    return Decimal(scaled) / SCALE


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // MILLISECOND


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC) + timedelta(milliseconds=at_ms % 1000)
