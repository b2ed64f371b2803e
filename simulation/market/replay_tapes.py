"""Rows of files made into what was to be seen at each moment: touches that hold until the next, and prints.

**A bar of quotes** is four states of equal length: open, low, high, close, both sides together (the low bid
with the low ask: a market that was never crossed in the minute is not crossed here). Its sizes are those of
its end from the beginning on. So the last state of a minute is the row's close. A minute without a row
changed nothing: what stood goes on.

**A bar of trades** is up to four prints, at its open, low, high and close, five seconds into the quarters of
the bar, each only where it is a price of its own; they share the volume evenly and the last takes the rest.
Their open, high, low, close and sum are the row's.

**Ticks** are as they are: the national best of each side carried forward, every print.

Only regular hours of the contract are kept; at the close the touch is gone. Prices are dollars x 10,000, 0 is
none; moments are epoch milliseconds.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from simulation.market.lean_rows import QuoteRow, QuoteTick, Remarks, TradeRow, TradeTick

QUARTERS = 4
PRINT_AFTER_MS = 5_000
State = tuple[int, int, int, int]  # bid, ask, bid size, ask size
NOBODY: State = (0, 0, 0, 0)
Row = TypeVar("Row", QuoteRow, QuoteTick, TradeRow, TradeTick)


def _long() -> "array[int]":
    return array("q")


def _whole() -> "array[int]":
    return array("i")


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of a contract: from the opening up to the close."""

    opens_ms: int
    closes_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether a moment lies in it."""
        return self.opens_ms <= at_ms < self.closes_ms


@dataclass(slots=True)
class TouchTape:
    """States of the touch, each from its moment on."""

    at: "array[int]" = field(default_factory=_long)
    bid: "array[int]" = field(default_factory=_whole)
    ask: "array[int]" = field(default_factory=_whole)
    bid_size: "array[int]" = field(default_factory=_whole)
    ask_size: "array[int]" = field(default_factory=_whole)

    def place(self, at_ms: int) -> int:
        """Which state stands at a moment; -1 before the first."""
        return bisect_right(self.at, at_ms) - 1

    def state(self, place: int) -> State:
        """One state; nobody's before the first."""
        if place < 0:
            return NOBODY
        return self.bid[place], self.ask[place], self.bid_size[place], self.ask_size[place]

    def add(self, at_ms: int, state: State) -> None:
        """A state from a moment on, unless it is the one that stands; the last word of a moment holds."""
        if self.at and self.at[-1] == at_ms:
            self.bid[-1], self.ask[-1], self.bid_size[-1], self.ask_size[-1] = state
            return
        if state == self.state(len(self.at) - 1):
            return
        self.at.append(at_ms)
        self.bid.append(state[0])
        self.ask.append(state[1])
        self.bid_size.append(state[2])
        self.ask_size.append(state[3])


@dataclass(slots=True)
class PrintTape:
    """Prints in order; `volume` is the sum up to and with each."""

    at: "array[int]" = field(default_factory=_long)
    price: "array[int]" = field(default_factory=_whole)
    size: "array[int]" = field(default_factory=_whole)
    volume: "array[int]" = field(default_factory=_long)
    exchanges: list[str] = field(default_factory=list)  # empty where the files do not tell them
    conditions: list[str] = field(default_factory=list)

    def place(self, at_ms: int) -> int:
        """The last print up to a moment; -1 before the first."""
        return bisect_right(self.at, at_ms) - 1

    def add(self, at_ms: int, price: int, size: int) -> None:
        """One print."""
        self.volume.append(size + (self.volume[-1] if self.volume else 0))
        self.at.append(at_ms)
        self.price.append(price)
        self.size.append(size)


def touches_of_bars(
    bars: Iterable[QuoteRow], midnight_ms: int, length_ms: int, span: Span, where: str, remarks: Remarks
) -> TouchTape:
    """Four states of each bar, as far as they differ; rows outside the hours are left out."""
    tape = TouchTape()
    for bar in _in_order(bars, where, remarks):
        begins = midnight_ms + bar.at_ms
        start, end = max(begins, span.opens_ms), min(begins + length_ms, span.closes_ms)
        if start >= end:
            continue
        if 0 < bar.ask[-1] < bar.bid[-1]:
            remarks.note(where, "rows whose closing bid is above the ask", bar)
        for quarter, (bid, ask) in enumerate(_turns(bar)):
            sizes = (bar.bid_size if bid else 0, bar.ask_size if ask else 0)
            tape.add(start + quarter * (end - start) // QUARTERS, (bid, ask, *sizes))
    tape.add(span.closes_ms, NOBODY)
    return tape


def touches_of_ticks(
    ticks: Iterable[QuoteTick], midnight_ms: int, span: Span, where: str, remarks: Remarks
) -> TouchTape:
    """Each side carried forward over all rows of the day; suspicious rows dropped."""
    tape = TouchTape()
    bid = ask = bid_size = ask_size = 0
    for tick in _in_order(ticks, where, remarks):
        at_ms = midnight_ms + tick.at_ms
        if tick.is_suspicious:
            remarks.note(where, "suspicious rows, left out", tick)
            continue
        if at_ms >= span.closes_ms:
            break
        if tick.bid:
            bid, bid_size = tick.bid, tick.bid_size
        if tick.ask:
            ask, ask_size = tick.ask, tick.ask_size
        tape.add(max(at_ms, span.opens_ms), (bid, ask, bid_size, ask_size))
    tape.add(span.closes_ms, NOBODY)
    return tape


def prints_of_bars(
    bars: Iterable[TradeRow], midnight_ms: int, length_ms: int, span: Span, where: str, remarks: Remarks
) -> PrintTape:
    """Up to four prints of each bar that touches the hours."""
    tape = PrintTape()
    before = None
    for bar in _in_order(bars, where, remarks):
        if bar.at_ms == before:
            remarks.note(where, "bars of a moment told before, left out", bar)
            continue
        before = bar.at_ms
        begins = midnight_ms + bar.at_ms
        start, end = max(begins, span.opens_ms), min(begins + length_ms, span.closes_ms)
        if start >= end:
            continue
        prices = _prices(bar)
        if bar.volume < len(prices):
            remarks.note(where, "rows with fewer contracts than prices", bar)
            continue
        share, rest = divmod(bar.volume, len(prices))
        last = len(prices) - 1
        for place, (quarter, price) in enumerate(prices):
            at_ms = start + quarter * (end - start) // QUARTERS + PRINT_AFTER_MS
            tape.add(min(at_ms, end - 1), price, share + (rest if place == last else 0))
    return tape


def prints_of_ticks(
    ticks: Iterable[TradeTick], midnight_ms: int, span: Span, where: str, remarks: Remarks
) -> PrintTape:
    """Every print of the hours that is not suspicious."""
    tape = PrintTape()
    for tick in _in_order(ticks, where, remarks):
        if tick.is_suspicious:
            remarks.note(where, "suspicious rows, left out", tick)
        elif span.holds(midnight_ms + tick.at_ms):
            tape.add(midnight_ms + tick.at_ms, tick.price, tick.size)
            tape.exchanges.append(tick.exchange)
            tape.conditions.append(tick.conditions)
    return tape


def values_of_bars(bars: Iterable[TradeRow], midnight_ms: int, length_ms: int, span: Span) -> TouchTape:
    """Values of what nobody trades (an index), as the bids of a tape: open, low, high, close of each bar."""
    tape = TouchTape()
    for bar in sorted(bars, key=lambda bar: bar.at_ms):
        start = midnight_ms + bar.at_ms
        if not span.holds(start):
            continue
        for quarter, value in enumerate((bar.open, bar.low, bar.high, bar.close)):
            tape.add(start + quarter * length_ms // QUARTERS, (value, 0, 0, 0))
    return tape


def _turns(bar: QuoteRow) -> Iterator[tuple[int, int]]:
    """Open, low, high, close of both sides."""
    for place in (0, 2, 1, 3):
        yield bar.bid[place], bar.ask[place]


def _prices(bar: TradeRow) -> Sequence[tuple[int, int]]:
    """Quarter and price of each print of a bar, none twice in a row."""
    prices = [(0, bar.open)]
    if bar.low < min(bar.open, bar.close):
        prices.append((1, bar.low))
    if bar.high > max(bar.open, bar.close):
        prices.append((2, bar.high))
    if len(prices) > 1 or bar.close != bar.open:
        prices.append((3, bar.close))
    return prices


def _in_order(rows: Iterable[Row], where: str, remarks: Remarks) -> list[Row]:
    """By time, the file's order within a moment kept (moments repeat)."""
    told = list(rows)
    ordered = sorted(told, key=lambda row: row.at_ms)
    if ordered != told:
        remarks.note(where, "files whose rows are not in order")
    return ordered
