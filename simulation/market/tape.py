"""The tape: prints of every contract, and bars made of them.

A minute's prints are drawn together from (seed, contract, minute); each trades at the touch of its second.
Bars of trades are sums over exactly these prints, so what is streamed and what is asked later agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from simulation.broker.model import Quote
from simulation.broker.questions import Bar, Print
from simulation.market.mixing import between, mixed
from simulation.market.parts import Touch, Traded
from simulation.market.paths import epoch, moment_of
from simulation.market.quotes import Quotes, exchange_of
from simulation.market.rules import rule_of
from simulation.sample_desk.contracts import Contract

MINUTE = 60
DAY_S = 86_400
SHARE_PRINTS = (15, 45)  # a minute
NEAR_PRINTS = (3, 12)  # of options near the money
FAR_PRINTS = (0, 1)
NEAR_STRIKES = 4
OPTION_PRINT_MOST = 20
SHARE_PRINT_MOST = 600
MIDDLE_PERCENT = 10  # of the prints trade between bid and ask
LAST_MINUTES_MOST = 30  # how far back the last trade is looked for
BARS_MOST = 12_000
MINUTES_KEPT = 10_000  # drawn minutes of all contracts; beyond it they are drawn again
SECONDS_MOST = 40 * DAY_S
SAMPLES_A_BAR = 60  # quote bars look at the touch this often at most
AVERAGE_PLACES = Decimal("0.000001")
SALT_COUNT, SALT_PRINT = 11, 12


@dataclass(frozen=True, slots=True)
class Draw:
    """A print before its price is known: second, size, and the bits that choose side and exchange."""

    second: int
    size: int
    bits: int


@dataclass(slots=True)
class Tape:
    """Prints, volumes, quotes with their last trade, bars."""

    quotes: Quotes
    drawn: dict[tuple[int, int], tuple[Draw, ...]] = field(default_factory=dict)
    volumes: dict[int, tuple[date, list[int]]] = field(default_factory=dict)

    def trades_at(self, contract: Contract, second: int) -> tuple[Traded, ...]:
        """The prints of one second."""
        draws = [draw for draw in self._minute(contract, second // MINUTE) if draw.second == second]
        return tuple(told for draw in draws if (told := self._traded(contract, draw)) is not None)

    def trades_between(self, contract: Contract, first: int, last: int) -> Iterator[Traded]:
        """Prints from a second to a second, both included."""
        for minute in range(first // MINUTE, last // MINUTE + 1):
            for draw in self._minute(contract, minute):
                if first <= draw.second <= last:
                    told = self._traded(contract, draw)
                    if told is not None:
                        yield told

    def prints(self, contract: Contract, since: datetime, now: datetime) -> list[Print]:
        """Prints after `since` up to `now`."""
        return [
            Print(
                at=moment_of(told.second),
                price=Decimal(told.cents) / 100,
                size=told.size,
                exchange=told.exchange,
            )
            for told in self.trades_between(contract, epoch(since) + 1, epoch(now))
        ]

    def quote(self, contract: Contract, now: datetime) -> Quote:
        """Touch, last trade and the session's volume; an index has only its value, as the last trade."""
        second = epoch(now)
        if contract.asset == "STK" and contract.settles_in_cash and contract.underlying is not None:
            value = Decimal(self.quotes.spot_cents(contract.underlying, second)) / 100
            return Quote(at=now, bid=None, ask=None, bid_size=0, ask_size=0, last=value)
        touch = self.quotes.touch(contract, second)
        last = self._last(contract, second)
        return Quote(
            at=now,
            bid=Decimal(touch.bid) / 100 if touch is not None and touch.bid else None,
            ask=Decimal(touch.ask) / 100 if touch is not None else None,
            bid_size=touch.bid_size if touch is not None else 0,
            ask_size=touch.ask_size if touch is not None else 0,
            last=Decimal(last.cents) / 100 if last is not None else None,
            last_size=last.size if last is not None else 0,
            volume=self.volume(contract, second),
        )

    def volume(self, contract: Contract, second: int) -> int:
        """Size of all prints of the session so far."""
        session = self.quotes.session_at(second)
        opens, closes = self.quotes.paths.bounds(session)
        closes = max(closes, epoch(self.quotes.hours.of(contract, session).closes))
        if second < opens:
            return 0
        kept = self.volumes.get(contract.conid)
        sums = kept[1] if kept is not None and kept[0] == session else [0]
        first = opens // MINUTE
        here = min(second, closes - 1) // MINUTE
        while len(sums) <= here - first:
            minute = first + len(sums) - 1
            sums.append(sums[-1] + sum(draw.size for draw in self._minute(contract, minute)))
        self.volumes[contract.conid] = (session, sums)
        rest = (draw.size for draw in self._minute(contract, here) if draw.second <= second)
        return sums[here - first] + sum(rest)

    def next_change(self, contract: Contract, now: datetime) -> datetime:
        """The next whole second: everything here is drawn by the second."""
        return moment_of(epoch(now) + 1)

    def bars(self, contract: Contract, end: datetime, seconds: int, bar_s: int, what: str) -> list[Bar]:
        """Bars of `bar_s` seconds that ended by `end`, over the last `seconds`; only where it traded.

        `what` is TRADES, BID, ASK or MIDPOINT; of an index there is only its value.
        """
        if bar_s < 1 or not 1 <= seconds <= SECONDS_MOST:
            raise ValueError(f"seconds: expected 1 to {SECONDS_MOST} and a bar of 1 or more, was {seconds}")
        last = epoch(end)
        found: list[Bar] = []
        for opens, closes in self._sessions(contract, last - seconds, last):
            for start in range(opens, closes, bar_s):
                stop = min(start + bar_s, closes)
                if start < last - seconds or stop > last:
                    continue
                bar = self._bar(contract, start, stop, what)
                if bar is not None:
                    found.append(bar)
        return found[-BARS_MOST:]

    def _sessions(self, contract: Contract, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Regular hours, as epoch seconds, of the known sessions that the span touches."""
        calendar = self.quotes.hours.calendar
        days = calendar.sessions_between(
            (moment_of(first) - timedelta(days=1)).date(), moment_of(last).date()
        )
        for session in days:
            if self.quotes.paths.knows(session):
                hours = self.quotes.hours.of(contract, session)
                yield epoch(hours.opens), epoch(hours.closes)

    def _bar(self, contract: Contract, start: int, stop: int, what: str) -> Bar | None:
        is_value = contract.asset == "STK" and contract.settles_in_cash
        if what == "TRADES" and not is_value:
            return _bar_of(start, [(t.cents, t.size) for t in self.trades_between(contract, start, stop - 1)])
        step = max(1, (stop - start) // SAMPLES_A_BAR)
        seconds = range(start, stop, step)
        if is_value and contract.underlying is not None:
            points = [self.quotes.spot_cents(contract.underlying, second) for second in seconds]
        else:
            touches = (self.quotes.touch(contract, second) for second in seconds)
            points = [_point(touch, what) for touch in touches if touch is not None]
        bar = _bar_of(start, [(point, 1) for point in points])
        return bar and _without_volume(bar)

    def _last(self, contract: Contract, second: int) -> Traded | None:
        for minute in range(second // MINUTE, second // MINUTE - LAST_MINUTES_MOST, -1):
            for draw in reversed(self._minute(contract, minute)):
                if draw.second <= second:
                    told = self._traded(contract, draw)
                    if told is not None:
                        return told
        return None

    def _minute(self, contract: Contract, minute: int) -> tuple[Draw, ...]:
        key = (contract.conid, minute)
        found = self.drawn.get(key)
        if found is None:
            if len(self.drawn) >= MINUTES_KEPT:
                self.drawn.clear()
            found = self.drawn[key] = self._draw(contract, minute)
        return found

    def _draw(self, contract: Contract, minute: int) -> tuple[Draw, ...]:
        if contract.asset == "CASH" or not self.quotes.is_open(contract, minute * MINUTE):
            return ()
        seed, conid = self.quotes.seed, contract.conid
        count = between(*self._liquidity(contract, minute * MINUTE), seed, conid, minute, SALT_COUNT)
        most = OPTION_PRINT_MOST if contract.asset == "OPT" else SHARE_PRINT_MOST
        draws = []
        for place in range(count):
            bits = mixed(seed, conid, minute, place, SALT_PRINT)
            size = 1 + (bits >> 20) % most
            draws.append(Draw(minute * MINUTE + bits % MINUTE, size, bits >> 32))
        return tuple(sorted(draws, key=lambda draw: (draw.second, draw.bits)))

    def _liquidity(self, contract: Contract, second: int) -> tuple[int, int]:
        if contract.asset != "OPT" or contract.underlying is None:
            return SHARE_PRINTS
        session = self.quotes.session_at(second)
        if not self.quotes.paths.knows(session):
            return (0, 0)
        opened = self.quotes.paths.cents(contract.underlying, 0, session)
        away = abs(contract.strike_cents - opened) // contract.underlying.strike_step_cents
        return NEAR_PRINTS if away <= NEAR_STRIKES else FAR_PRINTS

    def _traded(self, contract: Contract, draw: Draw) -> Traded | None:
        touch = self.quotes.touch(contract, draw.second)
        if touch is None:
            return None
        exchange = exchange_of(contract, draw.bits >> 10)
        middle = rule_of(contract).down((touch.bid + touch.ask) // 2)
        if draw.bits % 100 < MIDDLE_PERCENT and touch.bid < middle < touch.ask:
            return Traded(draw.second, middle, draw.size, 0, exchange)
        if draw.bits & 128 or not touch.bid:
            return Traded(draw.second, touch.ask, draw.size, 1, exchange)
        return Traded(draw.second, touch.bid, draw.size, -1, exchange)


def _point(touch: Touch, what: str) -> int:
    if what == "BID":
        return touch.bid
    return touch.ask if what == "ASK" else (touch.bid + touch.ask) // 2


def _bar_of(start: int, trades: list[tuple[int, int]]) -> Bar | None:
    if not trades:
        return None
    prices = [cents for cents, _ in trades]
    volume = sum(size for _, size in trades)
    money = sum(cents * size for cents, size in trades)
    return Bar(
        at=moment_of(start),
        open=Decimal(prices[0]) / 100,
        high=Decimal(max(prices)) / 100,
        low=Decimal(min(prices)) / 100,
        close=Decimal(prices[-1]) / 100,
        volume=volume,
        average=(Decimal(money) / volume / 100).quantize(AVERAGE_PLACES),
        count=len(trades),
    )


def _without_volume(bar: Bar) -> Bar:
    return Bar(
        at=bar.at,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=-1,
        average=Decimal(-1),
        count=-1,
    )
