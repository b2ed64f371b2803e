"""Bars and closing quotes: the minute, second and hour files of options, shares and indexes.

A trade line is a bar. A quote line is the quote that stood at its end: `at` is the last millisecond of it,
so a quote lies in its own minute. The opening, highest and lowest quote of the minute are not kept.
"""

from collections.abc import Callable, Sequence

from adapters.lean.series import Form, Series
from adapters.lean.values import ReadPrice, price, side_price, size
from trading.errors import InvalidFieldError
from trading.model.market import Bar, Quote

BAR_FIELDS = 6  # time, open, high, low, close, volume; of an index the last is a count of values
QUOTE_FIELDS = 11  # time, bid open, high, low, close, size, the same of the ask
ReadMs = Callable[[str], float | None]


def bar_form(
    series: Series, length_ms: int, read_ms: ReadMs, read_price: ReadPrice = price, *, has_volume: bool = True
) -> Form:
    """Trade lines as bars; an index has no volume."""

    def make(fields: Sequence[str], ms: float) -> Bar:
        opened, high, low, close = [read_price(text) for text in fields[1:5]]
        if not low <= opened <= high or not low <= close <= high:
            raise InvalidFieldError("high", "low <= open, close <= high", ",".join(fields[1:5]))
        return Bar(
            symbol=series.symbol,
            instrument_id=series.instrument_id,
            at=series.hours.at(ms),
            seconds=length_ms // 1000,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=size(fields[5]) if has_volume else None,
        )

    return Form(fields=BAR_FIELDS, length_ms=length_ms, read_ms=read_ms, make=make)


def quote_form(series: Series, length_ms: int, read_ms: ReadMs, read_price: ReadPrice = price) -> Form:
    """Quote lines as the quotes that stood at their ends."""

    def make(fields: Sequence[str], ms: float) -> Quote:
        bid, ask = side_price(fields[4], read_price), side_price(fields[9], read_price)
        return Quote(
            symbol=series.symbol,
            instrument_id=series.instrument_id,
            at=series.hours.last_of(ms, length_ms),
            bid=bid,
            ask=ask,
            bid_size=None if bid is None else size(fields[5]),
            ask_size=None if ask is None else size(fields[10]),
        )

    return Form(fields=QUOTE_FIELDS, length_ms=length_ms, read_ms=read_ms, make=make)
