"""When a symbol is closed: from its close to the first tick of the next session, by the market's time.

A symbol closes when all of it does: one whose options trade until 16:15 then, an early close included. A
single contract's own close is the calendar's (`option_close`), and no row is told of it. What ticks before
the opening opens nothing. What can lose money here: a market that is over and looks open, or one that is
only silent (stale, with an alert) and looks over; so a session whose link is dead at the opening is not
closed but what is known of it.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime

from trading.calendar import LATE_CLOSE, XNYS, session_close, session_open, trading_session
from trading.market.quote_board import QuoteBoard


def closes_at(symbol: str, session: date, *, is_index: bool) -> datetime:
    """When the last of a symbol's instruments ceases to trade on a session."""
    is_late = is_index or symbol in XNYS.late_close_symbols
    return session_close(session) + LATE_CLOSE if is_late else session_close(session)


class MarketHours:
    """Closes and opens lines of a board; `closes` says when a line does on a session."""

    def __init__(self, board: QuoteBoard) -> None:
        self._board = board
        self._session: date | None = None

    def mind(self, at: datetime, lines: Iterable[int], closes: Callable[[int, date], datetime]) -> None:
        """Let the market's time pass; a night that was skipped closes what it found open for one look."""
        session, before = trading_session(at), self._session
        self._session, opens_at, first_close = session, session_open(session), session_close(session)
        for line in lines:
            if before is not None and before != session:
                self._board.close(line, closes(line, before))
            elif at < opens_at:
                self._board.close(line, at)
            elif at >= first_close and at >= closes(line, session):
                self._board.close(line, closes(line, session))
            else:
                self._board.open_after(line, opens_at)
