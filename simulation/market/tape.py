"""The tape: prints of every contract, quotes with their last trade, and bars.

Bars of trades are sums over exactly the prints that are streamed, so what is streamed and what is asked later
agree. Bars of quotes look at the touch of their seconds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from simulation.broker.model import Quote
from simulation.broker.questions import Bar, Print
from simulation.market.parts import BARS_MOST, Touch, Traded, check_span
from simulation.market.paths import epoch, moment_of
from simulation.market.printed import Printed
from simulation.market.quotes import Quotes
from simulation.sample_desk.contracts import Contract

SAMPLES_A_BAR = 60  # quote bars look at the touch this often at most
AVERAGE_PLACES = Decimal("0.000001")
PRICES_KEPT = 100_000


@dataclass(slots=True)
class Tape:
    """Prints, volumes, quotes with their last trade, bars."""

    quotes: Quotes
    printed: Printed
    kept: dict[int, tuple[int, Quote]] = field(default_factory=dict)  # the last answer of each contract

    def trades_at(self, contract: Contract, second: int) -> tuple[Traded, ...]:
        """The prints of one second."""
        return tuple(self.trades_between(contract, second, second))

    def trades_between(self, contract: Contract, first: int, last: int) -> Iterator[Traded]:
        """Prints from a second to a second, both included."""
        days = [self.quotes.session_at(first), self.quotes.session_at(last)]
        sessions = days[:1] if days[0] == days[1] else self._days(days[0], days[1])
        for session in sessions:
            yield from self.printed.trades(contract, first, last, session)

    def prints(self, contract: Contract, since: datetime, now: datetime) -> list[Print]:
        """Prints after `since` up to `now`."""
        return [
            Print(
                at=moment_of(trade.second),
                price=dollars(trade.cents),
                size=trade.size,
                exchange=trade.exchange,
                conditions=trade.conditions,
            )
            for trade in self.trades_between(contract, epoch(since) + 1, epoch(now))
        ]

    def quote(self, contract: Contract, now: datetime) -> Quote:
        """Touch, last trade and the session's volume; an index has only its value, as the last trade."""
        second = int(now.timestamp())
        kept = self.kept.get(contract.conid)
        if kept is None or kept[0] != second:
            kept = self.kept[contract.conid] = (second, self._quote(contract, second, now))
        told = kept[1]
        if told.at == now:
            return told
        return Quote(
            at=now,
            bid=told.bid,
            ask=told.ask,
            bid_size=told.bid_size,
            ask_size=told.ask_size,
            last=told.last,
            last_size=told.last_size,
            volume=told.volume,
        )

    def _quote(self, contract: Contract, second: int, now: datetime) -> Quote:
        if contract.asset == "STK" and contract.settles_in_cash and contract.underlying is not None:
            value = dollars(self.quotes.spot_cents(contract.underlying, second))
            return Quote(at=now, bid=None, ask=None, bid_size=0, ask_size=0, last=value)
        touch = self.quotes.touch(contract, second)
        volume, last = self._last(contract, second)
        return Quote(
            at=now,
            bid=dollars(touch.bid) if touch is not None and touch.bid else None,
            ask=dollars(touch.ask) if touch is not None else None,
            bid_size=touch.bid_size if touch is not None else 0,
            ask_size=touch.ask_size if touch is not None else 0,
            last=dollars(last[0]) if last is not None else None,
            last_size=last[1] if last is not None else 0,
            volume=volume,
        )

    def volume(self, contract: Contract, second: int) -> int:
        """Size of all prints of the session so far."""
        return self._last(contract, second)[0]

    def next_change(self, contract: Contract, now: datetime) -> datetime:
        """The next whole second: everything here is drawn by the second."""
        return moment_of(epoch(now) + 1)

    def bars(self, contract: Contract, end: datetime, seconds: int, bar_s: int, what: str) -> list[Bar]:
        """Bars of `bar_s` seconds over the last `seconds`, the last one cut at `end`; only where it traded.

        `what` is TRADES, BID, ASK or MIDPOINT; of an index there is only its value.
        """
        check_span(seconds, bar_s)
        last = epoch(end)
        found: list[Bar] = []
        for opens, closes in self._sessions(contract, last - seconds, last):
            skipped = max(0, -(-(last - seconds - opens) // bar_s))
            for start in range(opens + skipped * bar_s, min(closes, last), bar_s):
                bar = self._bar(contract, start, min(start + bar_s, closes, last), what)
                if bar is not None:
                    found.append(bar)
        return found[-BARS_MOST:]

    def _traded_bar(self, contract: Contract, start: int, stop: int) -> Bar | None:
        """A bar of the prints from a second up to, and without, another one of the same session."""
        found = self.printed.of(contract, self.quotes.session_at(start))
        if found is None:
            return None
        prints, cell = found
        places = prints.of_cell(cell, start, stop - 1)
        return _bar_of(start, prints.cents[places].tolist(), prints.flow.size[places].tolist())

    def _last(self, contract: Contract, second: int) -> tuple[int, tuple[int, int] | None]:
        """The session's volume so far, and price and size of its last print."""
        found = self.printed.of(contract, self.quotes.session_at(second))
        if found is None:
            return 0, None
        prints, cell = found
        volume, place = prints.until(cell, second)
        if place < 0:
            return 0, None
        return volume, (int(prints.cents[place]), int(prints.flow.size[place]))

    def _days(self, first: date, last: date) -> list[date]:
        days = self.quotes.hours.calendar.sessions_between(first, last)
        return [session for session in days if self.quotes.paths.knows(session)]

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
            return self._traded_bar(contract, start, stop)
        step = max(1, (stop - start) // SAMPLES_A_BAR)
        seconds = [*range(start, stop - 1, step), stop - 1]  # the close is that of the last second
        if is_value and contract.underlying is not None:
            points = [self.quotes.spot_cents(contract.underlying, second) for second in seconds]
        else:
            touches = (self.quotes.touch(contract, second) for second in seconds)
            points = [_point(touch, what) for touch in touches if touch is not None]
        bar = _bar_of(start, points, [1] * len(points))
        return bar and _without_volume(bar)


def _point(touch: Touch, what: str) -> int:
    if what == "BID":
        return touch.bid
    return touch.ask if what == "ASK" else (touch.bid + touch.ask) // 2


def _bar_of(start: int, prices: list[int], sizes: list[int]) -> Bar | None:
    if not prices:
        return None
    volume = sum(sizes)
    money = sum(cents * size for cents, size in zip(prices, sizes, strict=True))
    return Bar(
        at=moment_of(start),
        open=Decimal(prices[0]) / 100,
        high=Decimal(max(prices)) / 100,
        low=Decimal(min(prices)) / 100,
        close=Decimal(prices[-1]) / 100,
        volume=volume,
        average=(Decimal(money) / volume / 100).quantize(AVERAGE_PLACES),
        count=len(prices),
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


@lru_cache(maxsize=PRICES_KEPT)
def dollars(cents: int) -> Decimal:
    """Cents as the price that is told."""
    return Decimal(cents) / 100
