"""Which lines tell nothing in their hours, and may have ended without a word.

A request has no time-out of its own: a line that the broker swallowed, or forgot in a night, looks like a
market in which nothing happens. Level 1 of a share is never silent for long while it is traded. Books and
bars are only minded while level 1 of their symbol is heard: a farm that is down silences all, and asking
again for every bar would use up what the broker allows. Prints and changes of the touch come when somebody
trades: a line of prints is silent where level 1 goes on to tell them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from adapters.ibkr.market.discovery import INDEX
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.lines import Line, LineKind
from adapters.ibkr.market.open_lines import OpenLines
from trading.calendar import is_rth, session_open, trading_session


def silent_lines(lines: OpenLines, feeds: Feeds, at: datetime, limit: timedelta) -> Iterator[int]:
    """The numbers of the lines to be asked for anew, each silent for longer than the limit."""
    if not is_rth(at):
        return
    opened_at, heard = session_open(trading_session(at)), set[str]()
    for number, line in lines.of_kind(LineKind.LEVEL1):
        newest_at = feeds.board.newest_at(line.contract.conid)
        is_halted = feeds.board.is_halted(line.contract.conid)  # a book stands still then, too
        if at - _since(lines, number, newest_at, opened_at) <= limit:
            if newest_at is not None and at - newest_at <= limit and not is_halted:
                heard.add(line.symbol)
        elif line.contract.sec_type != INDEX and not is_halted:
            yield number
    for kind in (LineKind.BARS, LineKind.DEPTH):
        for number, line in lines.of_kind(kind):
            since = _since(lines, number, _newest_of(feeds, line), opened_at)
            if line.symbol in heard and at - since > limit:
                yield number
    for number, line in lines.of_kind(LineKind.PRINTS):
        symbol = feeds.symbols.get(line.symbol)
        texts_at = symbol.tape.texts_at if symbol is not None else None
        since = _since(lines, number, _newest_of(feeds, line), opened_at)
        if texts_at is not None and texts_at - since > limit:
            yield number


def _since(lines: OpenLines, number: int, newest_at: datetime | None, opened_at: datetime) -> datetime:
    """What a silence is counted from: the newest row, the question, the opening."""
    known = (newest_at, lines.asked_at(number), opened_at)
    return max(moment for moment in known if moment is not None)


def _newest_of(feeds: Feeds, line: Line) -> datetime | None:
    symbol = feeds.symbols.get(line.symbol)
    return None if symbol is None else symbol.count(line.kind.value).newest_at
