"""The tick tape of a share: prints, and changes of the national best bid and offer.

A quote line changes one side and leaves the other at zero, so the sides are carried forward over all lines,
those before the opening too. (Carried forward for each exchange apart, the market would be crossed nearly
always.)
"""

from collections.abc import Sequence
from decimal import Decimal

from adapters.lean.series import Form, Series
from adapters.lean.values import milliseconds, price, side_price, size
from trading.errors import InvalidFieldError
from trading.model.market import Quote, Trade

TRADE_FIELDS = 6  # ms, price, size, exchange, conditions in hexadecimal, suspicious
QUOTE_FIELDS = 8  # ms, bid, bid size, ask, ask size, exchange, condition, suspicious
TICK_MS = 1


def trade_form(series: Series) -> Form:
    """Print lines as trades; `ordinal` counts the prints of one millisecond."""
    last_ms, ordinal = -1, 0

    def make(fields: Sequence[str], ms: int) -> Trade:
        nonlocal last_ms, ordinal
        ordinal = ordinal + 1 if ms == last_ms else 0
        last_ms = ms
        return Trade(
            symbol=series.symbol,
            instrument_id=series.instrument_id,
            at=series.hours.at(ms),
            price=price(fields[1]),
            size=size(fields[2]),
            exchange=fields[3],
            conditions=fields[4],
            ordinal=ordinal,
        )

    return Form(fields=TRADE_FIELDS, length_ms=TICK_MS, read_ms=milliseconds, make=make, is_flagged=True)


def quote_tick_form(series: Series) -> Form:
    """Changes of one side as the quote that stands after them."""
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None

    def make(fields: Sequence[str], ms: int) -> Quote:
        nonlocal bid, ask, bid_size, ask_size
        new_bid, new_ask = side_price(fields[1]), side_price(fields[3])
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

    return Form(fields=QUOTE_FIELDS, length_ms=TICK_MS, read_ms=milliseconds, make=make, is_flagged=True)
