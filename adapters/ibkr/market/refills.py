"""Minutes that nobody heard whole, told by history: what an answer brings, and what is said of its hole.

The feeds' side: it hears the same in a session and in a capture of it. Of each hole there are two records,
that it was there and what became of it, so nobody has to guess whether a minute was heard. Keep out: when to
ask (`refilling`), where holes are and what a minute is (`trading/market`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from adapters.ibkr.market.dead_letters import gap
from adapters.ibkr.market.heard import HistoryBar
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.symbol_feeds import SymbolFeeds
from trading.market.minute_holes import MinuteHole
from trading.model.market import RefusedRow

FEED = LineKind.BARS.value
FIELD = "refill"
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Open:
    """A question to history: how many minutes it has brought."""

    feeds: SymbolFeeds
    hole: MinuteHole
    minutes: int = 0


class Refills:
    """The questions of one session by their number."""

    def __init__(self, symbols: Mapping[str, SymbolFeeds]) -> None:
        self._symbols = symbols
        self._open: dict[int, _Open] = {}
        self._recorded: set[tuple[str, datetime]] = set()
        self._rows: list[RefusedRow] = []

    def begin(self, number: int, symbol: str, hole: MinuteHole) -> None:
        """History is asked for a hole; that it is one is recorded, once."""
        feeds = self._symbols.get(symbol)
        if feeds is None:
            return
        self._open[number] = _Open(feeds, hole)
        if (symbol, hole.since) not in self._recorded:
            self._recorded.add((symbol, hole.since))
            words = f"{hole.minutes} minutes were not heard whole"
            self._rows.append(gap(symbol, FEED, hole.since, hole.until, words))

    def bar(self, number: int, heard: HistoryBar) -> None:
        """A minute; history may tell more than was asked for."""
        open_ = self._open.get(number)
        if open_ is None:
            return
        at = datetime.fromtimestamp(heard.epoch_s, UTC)
        if open_.hole.since <= at < open_.hole.until:
            minutes = open_.feeds.minutes
            is_taken = minutes.refill(at, heard.prices, heard.volume, heard.average, heard.count)
            open_.minutes += is_taken

    def end(self, number: int) -> None:
        """The answer is whole: minutes that it did not bring had no trade."""
        open_ = self._open.get(number)
        if open_ is not None:
            self.over(
                number, f"{open_.minutes} of {open_.hole.minutes} minutes came from history", settled=True
            )

    def over(self, number: int, words: str, *, settled: bool) -> None:
        """The question is over; one that is not settled is asked again."""
        open_ = self._open.pop(number, None)
        if open_ is None:
            return
        if not settled:
            open_.feeds.count(FEED).errors += 1
            return
        hole = open_.hole
        open_.feeds.minutes.holes.fill(hole.since + n * MINUTE for n in range(hole.minutes))
        record = gap(open_.feeds.symbol, FEED, hole.since, hole.until, words)
        self._rows.append(replace(record, field=FIELD))

    def forget(self) -> None:
        """The connection is gone, and its questions with it."""
        self._open.clear()

    def begin_session(self) -> None:
        """Other minutes."""
        self.forget()
        self._recorded.clear()

    def flush(self) -> list[RefusedRow]:
        """Tell the records since the last flush."""
        told, self._rows = self._rows, []
        return told
