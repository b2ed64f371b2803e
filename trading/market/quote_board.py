"""Level-1 ticks of many lines, coalesced: one quote for each line that changed since the last flush.

A tick changes one field of its line; the flush tells all fields as they stand. The broker says -1 (or a price
of 0) where there is no bid or ask: that is None. What no market says (NaN, a negative number, a price of 0
with a size) goes to the dead letter with its reason; the price that stood stands on, but not behind a 0.

What can lose money here: a crossed quote between the two messages of one move (states are judged at the
flush, never between ticks), a halt that a later quote hides (it goes before crossed and locked, and only its
own tick ends it), a quote that looks alive (`mark` says stale; any tick of the line ends that), a wrong book
beside a quote that is right (`doubt` says crossed; only the end of the doubt ends that), a session that is
over and looks alive or only silent (`close` goes before all), and an older
bid that comes after a newer one (level 1 is sampled, touches tick by tick are not: while they are told, they
alone say bid and ask).

The tick is the hottest place of the desk: it touches one list and makes no object.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.market.numbers import NUMBER_LIMIT, PRICE_LEAST
from trading.market.quote_line import (
    ASK,
    ASK_SIZE,
    BID,
    BID_SIZE,
    HALTED_FROM,
    LAST,
    LAST_SIZE,
    VOLUME,
    QuoteLine,
    Touch,
    quote_of,
    state_of,
)
from trading.model.market import InstrumentState, Quote, RefusedRow, TradingState

REFUSED_PER_FLUSH_MAX = 1_000  # more are counted only
NO_PRICE = -1.0
TOUCHES_RULE = timedelta(seconds=2)  # after each; level 1 lags behind by a quarter of a second
FIELD_NAMES = ("bid", "ask", "last", "bid_size", "ask_size", "last_size", "volume")
SIZE_OF = 3  # a price's size stands so many places behind it
PRICE_TICKS = {1: BID, 2: ASK, 4: LAST, 66: BID, 67: ASK, 68: LAST}  # live and delayed
SIZE_TICKS = {
    0: BID_SIZE,
    3: ASK_SIZE,
    5: LAST_SIZE,
    8: VOLUME,
    69: BID_SIZE,
    70: ASK_SIZE,
    71: LAST_SIZE,
    74: VOLUME,
}
HALT_TICKS = frozenset({49, 90})


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFlush:
    """What changed since the flush before, each in the order in which it was heard."""

    quotes: tuple[Quote, ...]
    states: tuple[InstrumentState, ...]
    refused: tuple[RefusedRow, ...]


class QuoteBoard:
    """Lines by their number; a number may be any that its owner counts with."""

    def __init__(self) -> None:
        self._lines: dict[int, QuoteLine] = {}
        self._changed: list[QuoteLine] = []
        self._last_words: list[Quote] = []  # of lines that were lost since the last flush
        self._told: dict[str, TradingState] = {}
        self._refused: list[RefusedRow] = []
        self.refused = 0
        self.refused_by: Counter[str] = Counter()
        self.unknown = 0  # ticks of lines that are not open

    def open_line(
        self,
        line: int,
        symbol: str,
        instrument_id: str,
        *,
        conid: int | None = None,
        is_option: bool = False,
        touch: Touch | None = None,
    ) -> None:
        """Begin a line: nothing is known of it. `touch` hears bid and ask at each change of one of them.

        An underlying tells its state with its first quote, an option only when it is not open.
        """
        usual = TradingState.OPEN if is_option else None
        told = self._told.get(instrument_id, usual)
        self._lines[line] = QuoteLine(symbol, instrument_id, conid, touch, told, usual)

    def close_line(self, line: int) -> None:
        """End a line; what it changed last is still told."""
        self._lines.pop(line, None)

    def forget(self, line: int, at: datetime | None) -> None:
        """The line was lost: what stood is known no more, and prints are not signed by it.

        Else the first half of what it tells when it is there again stands beside an old other half, which
        looks crossed. What it told last is still told.
        """
        state = self._lines.get(line)
        if state is None:
            return
        quote = quote_of(state)
        if quote is not None:
            state.is_quoted = True
            self._last_words.append(quote)
        state.forget()
        if state.touch is not None and at is not None:
            state.touch(None, None, at)

    def price(self, line: int, tick: int, price: float, size: float, at: datetime) -> None:
        """Hear a price with its size; ticks that are not level 1 are left aside."""
        slot = PRICE_TICKS.get(tick)
        if slot is None:
            return
        state = self._lines.get(line)
        if state is None:
            self.unknown += 1
            return
        if state.touched_at is not None and slot < LAST and at - state.touched_at < TOUCHES_RULE:
            return
        if not (PRICE_LEAST <= price < NUMBER_LIMIT and 0 <= size < NUMBER_LIMIT):
            self._no_price(state, slot, price, size, at)
            return
        values = state.values
        state.at = at
        if values[slot] != price or values[slot + SIZE_OF] != size:
            is_moved = values[slot] != price
            values[slot] = price
            values[slot + SIZE_OF] = size
            if is_moved and slot < LAST and state.touch is not None:
                state.touch(values[BID], values[ASK], at)
            state.has_news = True
            if not state.is_changed:
                state.is_changed = True
                self._changed.append(state)
        if state.mark is not None:
            self._unmark(state)

    def size(self, line: int, tick: int, size: float, at: datetime) -> None:
        """Hear a size or the volume."""
        slot = SIZE_TICKS.get(tick)
        if slot is None:
            return
        state = self._lines.get(line)
        if state is None:
            self.unknown += 1
            return
        touched_at = state.touched_at
        if touched_at is not None and slot in (BID_SIZE, ASK_SIZE) and at - touched_at < TOUCHES_RULE:
            return
        if not 0 <= size < NUMBER_LIMIT:
            self._refuse(state, FIELD_NAMES[slot], "no size", repr(size), at)
            return
        state.at = at
        if state.values[slot] != size:
            if slot != VOLUME and state.values[slot - SIZE_OF] is None:
                return  # a size of no price; the price brings its own
            state.values[slot] = size
            state.has_news = True
            if not state.is_changed:
                state.is_changed = True
                self._changed.append(state)
        if state.mark is not None:
            self._unmark(state)

    def value(self, line: int, tick: int, value: float, at: datetime) -> None:
        """Hear a generic tick; of these only halts are level 1."""
        state = self._lines.get(line)
        if tick not in HALT_TICKS or state is None:
            return
        if value != value or value < NO_PRICE:
            self._refuse(state, "halted", "no state of trading", repr(value), at)
            return
        state.at = at
        known = state.halted if value == NO_PRICE else value  # not known: a halt that stands is not over
        if state.halted != known or state.told is None:
            state.halted = known
            self._note(state)

    def touch(self, line: int, bid: float, ask: float, sizes: tuple[float, float], at: datetime) -> None:
        """Hear bid and ask together, tick by tick; level 1 says neither for a while."""
        state = self._lines.get(line)
        if state is not None:
            state.touched_at = None
        self.price(line, 1, bid, sizes[0], at)
        self.price(line, 2, ask, sizes[1], at)
        if state is not None:
            state.touched_at = at

    def mark(self, line: int, state: TradingState | None, reason: str, at: datetime) -> None:
        """Say from outside what a line is (stale); None, or its next tick, ends that."""
        told = self._lines.get(line)
        if told is not None and told.mark is not state:
            told.mark, told.reason, told.marked_at = state, reason, at
            self._note(told)

    def doubt(self, line: int, reason: str, at: datetime | None) -> None:
        """Say that the line's book is crossed, and why; no reason ends that."""
        told = self._lines.get(line)
        if told is not None and told.doubt != reason:
            told.doubt = reason
            told.marked_at = at or told.marked_at
            self._note(told)

    def stop(self, line: int, reason: str, at: datetime) -> None:
        """Say that trading is halted though no tick of the line tells it; no reason ends that."""
        told = self._lines.get(line)
        if told is not None and told.stopped != reason:
            told.stopped, told.marked_at = reason, at
            self._note(told)

    def close(self, line: int, at: datetime) -> None:
        """Say that the session is over, whatever else is known: no tick ends that, `open_after` does."""
        told = self._lines.get(line)
        if told is not None and not told.is_closed:
            told.is_closed = True
            told.marked_at = max(told.marked_at or at, at)
            self._note(told)

    def open_after(self, line: int, opens_at: datetime) -> None:
        """End that with the first tick since the opening, or with the word that none can be heard."""
        told = self._lines.get(line)
        if told is None or not told.is_closed:
            return
        if told.mark is not None or (told.at is not None and told.at >= opens_at):
            told.is_closed = False
            told.marked_at = max(told.marked_at or opens_at, opens_at)
            self._note(told)

    def doubted(self, line: int) -> bool:
        """Say whether the line's book is in doubt."""
        state = self._lines.get(line)
        return state is not None and bool(state.doubt)

    def is_halted(self, line: int) -> bool:
        """Say whether trading is halted."""
        state = self._lines.get(line)
        return state is not None and state.halted >= HALTED_FROM

    def standing(self, line: int) -> tuple[float | None, float | None]:
        """Return bid and ask as they stand now."""
        state = self._lines.get(line)
        return (None, None) if state is None else (state.values[BID], state.values[ASK])

    def newest_at(self, line: int) -> datetime | None:
        """Return when the line was heard last."""
        state = self._lines.get(line)
        return None if state is None else state.at

    def flush(self) -> QuoteFlush:
        """Tell what changed, and begin anew."""
        changed, self._changed = self._changed, []
        refused, self._refused = self._refused, []
        quotes, states = self._last_words, []
        self._last_words = []
        for line in changed:
            line.is_changed = False
            quote = quote_of(line)
            if quote is not None:
                line.is_quoted = True
                quotes.append(quote)
            state = self._state_change(line)
            if state is not None:
                states.append(state)
        return QuoteFlush(quotes=tuple(quotes), states=tuple(states), refused=tuple(refused))

    def _no_price(self, state: QuoteLine, slot: int, price: float, size: float, at: datetime) -> None:
        """There is none (-1, or 0 without size), or what was told is no price."""
        if price in (NO_PRICE, 0):
            self._clear(state, slot, at)
        if price == NO_PRICE or (price == 0 and size == 0):
            return
        is_price = PRICE_LEAST <= price < NUMBER_LIMIT
        reason = "no size" if is_price else "zero price" if price == 0 else "no price"
        self._refuse(state, FIELD_NAMES[slot], reason, f"{price!r} x {size!r}", at)

    def _clear(self, state: QuoteLine, slot: int, at: datetime) -> None:
        values = state.values
        state.at = at
        if values[slot] is not None or values[slot + SIZE_OF] is not None:
            values[slot] = values[slot + SIZE_OF] = None
            if slot < LAST and state.touch is not None:
                state.touch(values[BID], values[ASK], at)
            state.has_news = True
            self._note(state)
        if state.mark is not None:
            self._unmark(state)

    def _refuse(self, state: QuoteLine, field: str, reason: str, payload: str, at: datetime) -> None:
        self.refused += 1
        self.refused_by[reason] += 1
        if len(self._refused) < REFUSED_PER_FLUSH_MAX:
            row = RefusedRow(
                symbol=state.symbol,
                feed="quote",
                at=at,
                field=f"{state.instrument_id} {field}",
                reason=reason,
                payload=payload,
            )
            self._refused.append(row)

    def _unmark(self, state: QuoteLine) -> None:
        state.mark, state.reason = None, ""
        self._note(state)

    def _note(self, state: QuoteLine) -> None:
        if not state.is_changed:
            state.is_changed = True
            self._changed.append(state)

    def _state_change(self, line: QuoteLine) -> InstrumentState | None:
        state, reason = state_of(line)
        at = max(filter(None, (line.at, line.marked_at)), default=None)
        if state is line.told or at is None:
            return None
        line.told = state
        if state is line.usual:
            self._told.pop(line.instrument_id, None)  # contracts come and go for years
        else:
            self._told[line.instrument_id] = state
        return InstrumentState(
            symbol=line.symbol, instrument_id=line.instrument_id, at=at, state=state, reason=reason
        )
