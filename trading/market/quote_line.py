"""One line of level 1 as it stands: its fields, what is known of its trading, and the rows that follow.

Keep out: what a tick does to it, when it is told (`quote_board`).
"""

from collections.abc import Callable
from datetime import datetime

from trading.market.numbers import optional_decimal
from trading.model.market import Quote, TradingState

BID, ASK, LAST, BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME = range(7)
FIELDS = 7
HALTED_FROM = 1.0  # 1 a general halt, 2 a volatility halt; 0 none, -1 not known

Touch = Callable[[float | None, float | None, datetime], None]


class QuoteLine:
    """One line's fields as they stand, and what was told of it."""

    __slots__ = (
        "at",
        "conid",
        "doubt",
        "halted",
        "has_news",
        "instrument_id",
        "is_changed",
        "is_closed",
        "is_quoted",
        "mark",
        "marked_at",
        "reason",
        "stopped",
        "symbol",
        "told",
        "touch",
        "touched_at",
        "usual",
        "values",
    )

    def __init__(
        self,
        symbol: str,
        instrument_id: str,
        conid: int | None,
        touch: Touch | None,
        told: TradingState | None,
        usual: TradingState | None,
    ) -> None:
        self.symbol, self.instrument_id, self.conid, self.touch = symbol, instrument_id, conid, touch
        self.values: list[float | None] = [None] * FIELDS
        self.at: datetime | None = None
        self.is_changed = False  # waits for the flush, by its fields or by its state
        self.has_news = False  # by its fields: what only changed its state is no newer quote
        self.marked_at: datetime | None = None
        self.is_quoted = False  # a row was told: that all of it is gone must be told too
        self.halted = 0.0
        self.mark: TradingState | None = None
        self.doubt = ""
        self.is_closed = False
        self.stopped = ""
        self.reason = ""
        self.told = told
        self.usual = usual
        self.touched_at: datetime | None = None

    def forget(self) -> None:
        """Know none of its fields any more."""
        self.values = [None] * FIELDS
        self.touched_at = None


def quote_of(line: QuoteLine) -> Quote | None:
    """The line as it stands; None where only its state changed, or nothing else was ever told."""
    has_news, line.has_news = line.has_news, False
    bid, ask, last, bid_size, ask_size, last_size, volume = line.values
    is_empty = line.values.count(None) == len(line.values)
    if line.at is None or not has_news or (is_empty and not line.is_quoted):
        return None
    return Quote(
        symbol=line.symbol,
        instrument_id=line.instrument_id,
        at=line.at,
        bid=optional_decimal(bid),
        ask=optional_decimal(ask),
        bid_size=None if bid is None else optional_decimal(bid_size),
        ask_size=None if ask is None else optional_decimal(ask_size),
        last=optional_decimal(last),
        last_size=None if last is None else optional_decimal(last_size),
        volume=optional_decimal(volume),
        conid=line.conid,
    )


def state_of(line: QuoteLine) -> tuple[TradingState, str]:
    bid, ask = line.values[BID], line.values[ASK]
    if line.is_closed:
        return TradingState.CLOSED, "outside of the session's hours"
    if line.mark is not None:
        return line.mark, line.reason
    if line.halted >= HALTED_FROM:
        return TradingState.HALTED, "volatility halt" if line.halted > HALTED_FROM else "halt"
    if line.stopped:
        return TradingState.HALTED, line.stopped
    if line.doubt:
        return TradingState.CROSSED, line.doubt
    if bid is None or ask is None or bid < ask:
        return TradingState.OPEN, ""
    state = TradingState.LOCKED if bid == ask else TradingState.CROSSED
    return state, f"bid {optional_decimal(bid)} ask {optional_decimal(ask)}"
