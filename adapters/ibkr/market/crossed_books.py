"""Which books stay crossed, and when each is to be asked for anew.

Real books cross between two changes of one move, before the opening and in a halt. One that stays crossed
while it is traded has lost a change (most often a delete), and every level behind that is wrong; nothing else
ever shows it. A book that is crossed again after it was told anew is what the broker says: it is asked for
ever more seldom. Keep out: asking, alerts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.lines import Line
from trading.calendar import is_rth, session_open, trading_session

DOUBLINGS_MAX = 5  # of the limit, with each time that a book is asked for in one episode


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossedBook:
    """A book that was crossed for too long; `is_first`: it begins an episode, so a person is told."""

    number: int
    words: str
    is_first: bool


class CrossedBooks:
    """The memory of the episodes; `limit` is the market's time."""

    def __init__(self, limit: timedelta) -> None:
        self._limit = limit
        self._asked: dict[int, int] = {}  # by contract: how often in its episode
        self._halted_at: dict[int, datetime] = {}

    def wrong(self, lines: Iterable[tuple[int, Line]], feeds: Feeds, at: datetime) -> Iterator[CrossedBook]:
        """The open books that are wrong now; each must be asked for anew."""
        if not is_rth(at):
            return
        opened_at = session_open(trading_session(at))
        for number, line in lines:
            since = self._since(line, feeds, at)
            if since is None:
                continue
            crossed_for = at - max(since, opened_at)
            times = self._asked.get(line.contract.conid, 0)
            if crossed_for > self._limit * 2 ** min(times, DOUBLINGS_MAX):
                self._asked[line.contract.conid] = times + 1
                words = f"the book was crossed for {crossed_for.total_seconds():.0f} s"
                yield CrossedBook(number=number, words=words, is_first=not times)

    def _since(self, line: Line, feeds: Feeds, at: datetime) -> datetime | None:
        """Since when a book is crossed while it is traded; an episode ends with a whole one that is not."""
        conid, symbol = line.contract.conid, feeds.symbols.get(line.symbol)
        if feeds.board.is_halted(conid):
            self._halted_at[conid] = at
            return None
        crossed_since = symbol.book.crossed_since if symbol is not None and symbol.book is not None else None
        if crossed_since is None:
            if not feeds.board.doubted(conid):
                self._asked.pop(conid, None)
            return None
        return max(crossed_since, self._halted_at.get(conid, crossed_since))
