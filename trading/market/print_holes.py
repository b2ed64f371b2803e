"""Where prints may be missing from a tape: from the last print that was surely heard to the first one after.

A line tells its prints in order, so whatever is lost is lost between two prints that were heard, and both
edges are those of prints. What can lose money here is a hole that is named too short: who reads the tape then
believes that nobody traded. Three ways to that, and what is done against each:
- Edges by the time at which something was heard. A busy machine hears late, and what it had not read yet is
  lost with the link: the beginning is the last print's own time, by the exchange's clock.
- Edges by another line. A quote is there again seconds before the prints are asked for: only a print ends it.
- A print that was reported late. It stands before what was lost, so the end is not before it was heard, nor
  the beginning behind what was known last.

Keep out: which line was lost and why (who listens), what a print is (`tape`).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintHole:
    """Prints between these times may be missing; those that are there may be in it, too."""

    since: datetime
    until: datetime
    reason: str


class PrintHoles:
    """Of one tape."""

    __slots__ = ("_last", "_missed", "_reason", "_since", "_told")

    def __init__(self) -> None:
        self._last: datetime | None = None  # the newest in the order of hearing, cut off as it was told
        self._since: datetime | None = None
        self._reason = ""
        self._missed: tuple[datetime, datetime, Decimal] | None = None  # since the last flush
        self._told: list[PrintHole] = []

    def resume(self, last: datetime, reason: str) -> None:
        """A process before this one heard its last print then."""
        self._last = last
        self.begin(reason, last)

    def begin(self, reason: str, at: datetime) -> None:
        """What is printed from here on may not be heard; a hole that is open goes on."""
        if self._since is None:
            self._since, self._reason = min(self._last or at, at), reason

    def heard(self, printed_at: datetime, until: datetime, at: datetime) -> None:
        """A print was heard at `at`; its time is `printed_at`, or up to `until` where that is cut off."""
        if self._since is not None:
            ends = max(until, at)
            self._told.append(PrintHole(since=min(self._since, printed_at), until=ends, reason=self._reason))
            self._since = None
        self._last = printed_at

    def miss(self, shares: Decimal, until: datetime, since: datetime | None = None) -> None:
        """A running total says that prints since the last one were not told: one hole until the flush."""
        since = min(since or self._last or until, until)
        if self._missed is not None:
            since, until = min(since, self._missed[0]), max(until, self._missed[1])
            shares += self._missed[2]
        self._missed = (since, until, shares)

    def flush(self) -> tuple[PrintHole, ...]:
        """Tell the holes that are over."""
        told, self._told = self._told, []
        if self._missed is not None:
            since, until, shares = self._missed
            reason = f"prints of {shares} shares were not told"
            told.append(PrintHole(since=since, until=until, reason=reason))
            self._missed = None
        return tuple(told)
