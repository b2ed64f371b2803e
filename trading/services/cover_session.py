"""What the live capture and the files told of a session, against its trading hours: the holes, named.

What can lose money here: a hole that nobody sees, because silence looks like a quiet market. The interface
answers for the whole of its current day, so one complete answer closes every hole before it; what is left
after midnight only a statement closes. A session that goes on is looked at up to now, less the time in which
the next answer is due.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from trading.calendar import LATE_CLOSE, session_close, session_open
from trading.model.fills import Source, Venue
from trading.ports.broker_events import COVERING_SOURCES, BrokerEventStore, ClockReading, CoverageHole


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCoverage:
    """One session of one account: the hours looked at (in the broker's time), and what nobody told of them.

    Both ends are None where none of its hours has passed yet.
    """

    venue: Venue
    account: str
    session: date
    start: datetime | None
    end: datetime | None
    holes: tuple[CoverageHole, ...]

    @property
    def hole_seconds(self) -> int:
        """All holes together."""
        return round(sum((hole.end - hole.start).total_seconds() for hole in self.holes))


def cover_session(
    events: BrokerEventStore,
    venue: Venue,
    accounts: Sequence[str],
    session: date,
    upto: datetime | None = None,
    sources: Sequence[Source] = COVERING_SOURCES,
) -> Sequence[SessionCoverage]:
    """Look at one session of some accounts; `upto` is the broker's time, None for a session that is over.

    `sources` are those that count: the live capture's alone show what a statement had to close.
    """
    start, end = trading_hours(session)
    end = end if upto is None else min(end, upto)
    if end <= start:
        return [_not_begun(venue, account, session) for account in sorted(set(accounts))]
    found = events.coverage_holes(venue, sorted(set(accounts)), start, end, sources)
    return [
        SessionCoverage(
            venue=venue,
            account=account,
            session=session,
            start=start,
            end=end,
            holes=tuple(hole for hole in found if hole.account == account),
        )
        for account in sorted(set(accounts))
    ]


def trading_hours(session: date) -> tuple[datetime, datetime]:
    """The opening, and the close of what closes last (index and broad fund options)."""
    return session_open(session), session_close(session) + LATE_CLOSE


def broker_now(reading: ClockReading | None, now: datetime, speed: int) -> datetime:
    """The broker's time by its last reading, which a simulated broker has in another year and goes faster."""
    if reading is None or reading.broker_at is None:
        return now
    return reading.broker_at + max(now - reading.heard_at, timedelta()) * speed


def _not_begun(venue: Venue, account: str, session: date) -> SessionCoverage:
    return SessionCoverage(venue=venue, account=account, session=session, start=None, end=None, holes=())
