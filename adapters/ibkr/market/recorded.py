"""What the session tells the feeds beside messages, told and, where there is a capture, written down.

A capture that held only messages could not be replayed: which line a number is, and what was lost, is nowhere
in them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.heard_before import HeardBefore
from adapters.ibkr.market.lines import Line
from adapters.ibkr.market.requests import DELAYED
from trading.market.minute_holes import MinuteHole
from trading.model.instruments import Option
from trading.ports.market_state import SymbolUpdate


class RecordedFeeds:
    """The acts, by the name they have in a capture."""

    def __init__(self, feeds: Feeds, capture: CaptureWriter | None) -> None:
        self._feeds, self._capture = feeds, capture

    def begin(self, number: int, line: Line, at: datetime | None) -> None:
        """A number was given to a line."""
        if self._capture is not None:
            self._capture.line(at, number, line)
        self._feeds.begin(number, line)

    def end(self, number: int, at: datetime | None) -> None:
        """A line is over."""
        self._note("end", at, number)
        self._feeds.end(number, at)

    def begin_session(self, session: date, at: datetime | None) -> None:
        """Another session."""
        self._note("session", at, session)
        self._feeds.begin_session(session)

    def resume(
        self,
        heard_until: Mapping[str, datetime],
        minutes: Mapping[str, Sequence[datetime]],
        printed_until: Mapping[str, datetime],
    ) -> None:
        """Until when each symbol was heard before this session began, its whole minutes, its last print."""
        whole = {name: list(each) for name, each in minutes.items()}
        self._note("resume", None, dict(heard_until), whole, dict(printed_until))
        self._feeds.resume(HeardBefore(heard_until, minutes, printed_until))

    def expect_chain(self, symbol: str, options: Sequence[Option], listed: int, at: datetime | None) -> None:
        """What a chain is made of."""
        if self._capture is not None:
            self._capture.chain(at, symbol, options, listed)
        self._feeds.expect_chain(symbol, options, listed)

    def quiet(self, reason: str, at: datetime | None) -> None:
        """Nothing is heard from here on."""
        self._note("quiet", at, reason)
        self._feeds.quiet(reason, at)

    def stand_still(self, symbol: str, reason: str, at: datetime) -> None:
        """The link lives and one symbol tells nothing: it is stale until its next tick."""
        self._note("still", at, symbol, reason)
        self._feeds.stand_still(symbol, reason, at)

    def lose(self, reason: str, at: datetime | None) -> None:
        """All lines are gone."""
        self._note("lose", at, reason)
        self._feeds.lose(reason, at)

    def error(self, number: int, words: str, at: datetime | None, *, is_final: bool) -> None:
        """The broker refused something about a line."""
        self._note("error", at, number, words, is_final)
        self._feeds.error(number, words, at, is_final=is_final)

    def empty_book(self, number: int, words: str, at: datetime | None) -> None:
        """The book is told anew."""
        self._note("empty", at, number, words)
        self._feeds.empty_book(number, words, at)

    def crossed_book(self, number: int, words: str, at: datetime | None) -> None:
        """The book stays crossed, so it is wrong."""
        self._note("crossed", at, number, words)
        self._feeds.crossed_book(number, words, at)

    def delayed(self, number: int, at: datetime | None) -> None:
        """The line is delayed."""
        self._note("delayed", at, number)
        self._feeds.data_kind(number, DELAYED)

    def refill(self, number: int, symbol: str, hole: MinuteHole, at: datetime | None) -> None:
        """History is asked for a hole."""
        self._note("refill", at, number, symbol, hole.since, hole.until)
        self._feeds.refills.begin(number, symbol, hole)

    def refill_over(self, number: int, words: str, at: datetime | None, *, settled: bool) -> None:
        """History said that it has nothing, or it is asked again, or never."""
        self._note("refill_over", at, number, words, settled)
        self._feeds.refills.over(number, words, settled=settled)

    def undecodable(self, fields: Sequence[str], error: str, at: datetime | None) -> None:
        """A message that nobody can read."""
        self._note("undecodable", at, list(fields), error)
        self._feeds.undecodable(fields, error, at)

    def flush(self, at: datetime | None, heard_at: datetime) -> Sequence[SymbolUpdate]:
        """What changed since the last flush."""
        self._note("flush", at)
        return self._feeds.flush(at, heard_at)

    def _note(self, name: str, at: datetime | None, *arguments: object) -> None:
        if self._capture is not None:
            self._capture.act(name, at, *arguments)
