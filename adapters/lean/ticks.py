"""The tick tape of a share or an option: prints, and changes of the national best bid and offer.

A quote line changes one side and leaves the other at zero, so the sides are carried forward over all lines,
those before the opening too. (Carried forward for each exchange apart, the market would be crossed nearly
always.)
"""

from collections.abc import Sequence
from decimal import Decimal

from adapters.lean.series import Form, Series
from adapters.lean.values import ReadPrice, milliseconds, price, side_price, size
from trading.errors import InvalidFieldError
from trading.model.market import Quote, Trade

TRADE_FIELDS = 6  # ms, price, size, exchange, conditions in hexadecimal, suspicious
QUOTE_FIELDS = 8  # ms, bid, bid size, ask, ask size, exchange, condition, suspicious
OPTION_QUOTE_FIELDS = 7  # those of options have no condition
TICK_MS = 1


def trade_form(series: Series, read_price: ReadPrice = price) -> Form:
    """Print lines as trades; `ordinal` counts the prints of one millisecond."""
    last_ms: float = -1
    ordinal = 0

    def make(fields: Sequence[str], ms: float) -> Trade:
        nonlocal last_ms, ordinal
        ordinal = ordinal + 1 if ms == last_ms else 0
        last_ms = ms
        return Trade(
            symbol=series.symbol,
            instrument_id=series.instrument_id,
            at=series.hours.at(ms),
            price=read_price(fields[1]),
            size=size(fields[2]),
            exchange=fields[3],
            conditions=fields[4],
            ordinal=ordinal,
        )

    return Form(fields=TRADE_FIELDS, length_ms=TICK_MS, read_ms=milliseconds, make=make, is_flagged=True)


def quote_tick_form(series: Series, read_price: ReadPrice = price, is_option: bool = False) -> Form:
    """Changes of one side as the quote that stands after them."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None

    def make(fields: Sequence[str], ms: float) -> Quote:
        nonlocal bid, ask, bid_size, ask_size
        new_bid, new_ask = side_price(fields[1], read_price), side_price(fields[3], read_price)
        if new_bid is None and new_ask is None:
            raise InvalidFieldError("bid", "a change of the bid or of the ask", ",".join(fields[1:5]))
        if new_bid is not None:
            bid, bid_size = new_bid, size(fields[2])
        if new_ask is not None:
            ask, ask_size = new_ask, size(fields[4])
        return Quote(
            symbol=series.symbol,
            instrument_id=series.instrument_id,
            at=series.hours.at(ms),
            bid=bid,
            ask=ask,
            bid_size=bid_size,
            ask_size=ask_size,
        )

    fields = OPTION_QUOTE_FIELDS if is_option else QUOTE_FIELDS
    return Form(fields=fields, length_ms=TICK_MS, read_ms=milliseconds, make=make, is_flagged=True)
