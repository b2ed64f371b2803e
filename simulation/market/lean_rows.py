"""Rows of Lean's data files: texts to numbers, and what cannot be read named and left out.

Prices stay whole numbers (dollars x 10,000), 0 is "none"; times are milliseconds since midnight of the file's
own clock. A number that no tape holds (a share of 215,000 dollars) cannot be read. Keep out whose rows they
are and what follows from them, and the chain at the end of a day (`lean_universe`).
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeVar

from simulation.market.lean_names import SCALE, Kind, day_of

ROWS_MOST = 5_000_000  # of one file
BLANKS = re.compile(r" *, *")
REMARKS_MOST = 1_000
NUMBER_MOST = 2**31 - 1
PRICES = {  # where prices stand in a bar of each kind
    Kind.QUOTE: frozenset({1, 2, 3, 4, 6, 7, 8, 9}),
    Kind.TRADE: frozenset({1, 2, 3, 4}),
    Kind.OPEN_INTEREST: frozenset[int](),
}
Row = TypeVar("Row")


class QuoteRow(NamedTuple):
    """A bar of both sides; sizes are those at its end."""

    at_ms: int
    bid: tuple[int, int, int, int]  # open, high, low, close; zeros where there was no bid
    bid_size: int
    ask: tuple[int, int, int, int]
    ask_size: int


class TradeRow(NamedTuple):
    """A bar of trades."""

    at_ms: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class TradeTick(NamedTuple):
    """One trade."""

    at_ms: int
    price: int
    size: int
    exchange: str
    conditions: str
    is_suspicious: bool


class QuoteTick(NamedTuple):
    """A change of one side of the national best; the other side's price is 0 and means nothing."""

    at_ms: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    is_suspicious: bool


@dataclass(slots=True)
class Remarks:
    """What was found wrong in the files: each thing once per file, with how often and an example."""

    found: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def note(self, where: str, what: str, example: object = "") -> None:
        """Count one finding; the first example is kept."""
        key = (where, what)
        count, first = self.found.get(key, (0, str(example)))
        if count or len(self.found) < REMARKS_MOST:
            self.found[key] = (count + 1, first)

    def texts(self) -> list[str]:
        """One line for each finding, in the order of the files."""
        return [
            f"{where}: {what}: {count} ({example})" if example else f"{where}: {what}: {count}"
            for (where, what), (count, example) in sorted(self.found.items())
        ]


def text_of(data: bytes) -> str:
    """A file's text, without what spreadsheets put around fields: a mark of bytes, quotes, blanks."""
    text = data.decode("utf-8-sig", "replace").replace('"', "")
    return text if ", " not in text and " ," not in text else BLANKS.sub(",", text)


def rows_of(text: str, read: Callable[[list[str]], Row], where: str, remarks: Remarks) -> list[Row]:
    """All rows of a file that can be read; the others are remarks."""
    lines = text.splitlines()
    if len(lines) > ROWS_MOST:
        raise ValueError(f"{where}: expected at most {ROWS_MOST} rows, was {len(lines)}")
    return list(_readable(lines, read, where, remarks))


def _readable(
    lines: list[str], read: Callable[[list[str]], Row], where: str, remarks: Remarks
) -> Iterator[Row]:
    for line in lines:
        if not line.strip():
            continue
        try:
            yield read(line.split(","))
        except (ValueError, IndexError, ArithmeticError):
            remarks.note(where, "rows that cannot be read", line)


def quote_row(texts: list[str]) -> QuoteRow:
    """ms, bid open/high/low/close, bid size, ask open/high/low/close, ask size."""
    if len(texts) != 11:
        raise ValueError(f"expected 11 fields, was {len(texts)}")
    return QuoteRow(_ms(texts[0]), _side(texts[1:5]), _whole(texts[5]), _side(texts[6:10]), _whole(texts[10]))


def trade_row(texts: list[str]) -> TradeRow:
    """ms, open, high, low, close, volume."""
    at_ms, opened, high, low, close, volume = texts
    row = TradeRow(_ms(at_ms), _whole(opened), _whole(high), _whole(low), _whole(close), _whole(volume))
    if not 0 < row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high:
        raise ValueError("expected low <= open, close <= high")
    return row


def index_row(texts: list[str]) -> TradeRow:
    """ms, open, high, low, close (dollars, not scaled), number of ticks."""
    at_ms, *prices, ticks = texts
    opened, high, low, close = (_whole(str(Decimal(price) * SCALE)) for price in prices)
    return TradeRow(_ms(at_ms), opened, high, low, close, int(float(ticks or 0)))


def interest_row(texts: list[str]) -> tuple[int, int]:
    """ms, contracts open (not scaled)."""
    at_ms, count = texts
    return _ms(at_ms), _whole(count)


def trade_tick(texts: list[str]) -> TradeTick:
    """ms, price, shares, exchange letter, conditions in hexadecimal (a text), suspicious."""
    at_ms, price, size, exchange, conditions, suspicious = texts
    return TradeTick(_ms(at_ms), _whole(price), _whole(size), exchange, conditions, suspicious == "1")


def quote_tick(texts: list[str]) -> QuoteTick:
    """ms, bid, bid size, ask, ask size, exchange letter, condition (options have none), suspicious."""
    if len(texts) not in (7, 8):
        raise ValueError(f"expected 7 or 8 fields, was {len(texts)}")
    at_ms, bid, bid_size, ask, ask_size = texts[:5]
    return QuoteTick(
        _ms(at_ms), _whole(bid), _whole(bid_size), _whole(ask), _whole(ask_size), texts[-1] == "1"
    )


def factor_row(texts: list[str]) -> tuple[date, float]:
    """The last day on which a split factor holds, and the factor: date, price factor, split factor, …"""
    day, factor = day_of(texts[0]), float(texts[2])
    if day is None or not 0 < factor < math.inf:
        raise ValueError(f"expected a day and a factor, was {texts}")
    return day, factor


def with_days(text: str, days: dict[date, list[str]]) -> None:
    """Rows that begin with `YYYYMMDD HH:MM`, as rows of milliseconds under their day.

    A row without such a beginning stays as it is under the earliest day, where its reader refuses it.
    """
    for line in text.splitlines():
        day = day_of(line[:8])
        if day is None or line[8:9] != " ":
            days.setdefault(date.min, []).append(line)
            continue
        hours, minutes = line[9:11], line[12:14]
        at_ms = (int(hours) * 60 + int(minutes)) * 60_000 if (hours + minutes).isdecimal() else -1
        days.setdefault(day, []).append(f"{at_ms if at_ms >= 0 else '?'}{line[14:]}")


def is_scaled(lines: list[str]) -> bool:
    """Whether prices are ten-thousandths: most lines have none with a point."""
    with_point = sum("." in line.partition(",")[2] for line in lines)
    return 2 * with_point < len(lines) or not lines


def scaled(text: str, kind: Kind) -> str:
    """Rows in dollars as rows in ten-thousandths; what is no number stays, and cannot be read later."""
    places = PRICES[kind]
    return "\n".join(_scaled_line(line, places) for line in text.splitlines())


def _scaled_line(line: str, places: frozenset[int]) -> str:
    texts = line.split(",")
    try:
        return ",".join(
            str(Decimal(text) * SCALE) if text and place in places else text
            for place, text in enumerate(texts)
        )
    except InvalidOperation:
        return line


def _ms(text: str) -> int:
    """Milliseconds; those of a tape may have decimals."""
    return int(text) if text.isdecimal() else int(Decimal(text))


def _whole(text: str) -> int:
    """A number of zero or more that a tape holds, whole; nothing is none."""
    try:
        number = int(text or 0)
    except ValueError:  # sizes and scaled prices may come with zeros behind a point
        exact = Decimal(text)
        if exact != exact.to_integral_value():
            raise
        number = int(exact)
    if not 0 <= number <= NUMBER_MOST:
        raise ValueError(f"expected a number up to {NUMBER_MOST}, was {text}")
    return number


def _side(texts: list[str]) -> tuple[int, int, int, int]:
    """Four prices, or zeros where the side was empty."""
    if not texts[3]:
        return (0, 0, 0, 0)
    opened, high, low, close = _whole(texts[0]), _whole(texts[1]), _whole(texts[2]), _whole(texts[3])
    return (opened, high, low, close)
