"""Coverage of a session: its hours, the holes in them, and what closes them."""

from datetime import UTC, date, datetime, timedelta

from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import CoverageInterval, FillBatch, Source, Venue
from trading.ports.broker_events import ClockReading
from trading.services.cover_session import SessionCoverage, broker_now, cover_session

FRIDAY = date(2026, 7, 17)
MIDNIGHT = datetime(2026, 7, 17, 4, 0, tzinfo=UTC)
OPEN = datetime(2026, 7, 17, 13, 30, tzinfo=UTC)
END = datetime(2026, 7, 17, 20, 15, tzinfo=UTC)
ACCOUNTS = ("DU1",)


def _cover(
    *told: tuple[datetime, datetime, Source], session: date = FRIDAY, upto: datetime | None = None
) -> SessionCoverage:
    fills = MemoryFillStore()
    for start, end, source in told:
        interval = CoverageInterval(venue=Venue.IBKR, account="DU1", source=source, start=start, end=end)
        fills.record(FillBatch(venue=Venue.IBKR, source=source, origin="t", coverage=(interval,)), END)
    (found,) = cover_session(MemoryBrokerEventStore(fills), Venue.IBKR, ACCOUNTS, session, upto)
    return found


def test_a_session_that_nobody_told_is_one_hole() -> None:
    """From the opening to a quarter after four, when index options close."""
    found = _cover()
    assert [(hole.start, hole.end) for hole in found.holes] == [(OPEN, END)]
    assert found.hole_seconds == 6.75 * 3600


def test_a_sweep_closes_everything_before_it() -> None:
    """The interface answers for its whole day: what is left is after the last sweep."""
    noon = OPEN + timedelta(hours=2, minutes=30)
    found = _cover((MIDNIGHT, noon, Source.SAME_DAY))
    assert [(hole.start, hole.end) for hole in found.holes] == [(noon, END)]
    assert not _cover((MIDNIGHT, END, Source.SAME_DAY)).holes


def test_a_statement_closes_what_the_live_capture_left() -> None:
    """Before it landed there were holes in the middle; after it there are none."""
    live = (
        (OPEN, OPEN + timedelta(hours=1), Source.SAME_DAY),
        (OPEN + timedelta(hours=3), END, Source.SAME_DAY),
    )
    assert [hole.end - hole.start for hole in _cover(*live).holes] == [timedelta(hours=2)]
    day = (MIDNIGHT, MIDNIGHT + timedelta(days=1), Source.STATEMENT)
    assert not _cover(*live, day).holes


def test_hearing_live_covers_nothing_by_itself() -> None:
    """Nobody knows what a stream did not say."""
    assert _cover((MIDNIGHT, END, Source.LIVE)).holes


def test_a_session_that_goes_on_is_looked_at_up_to_now() -> None:
    """An hour after the opening the hole ends there; before the opening there is none."""
    assert [hole.end for hole in _cover(upto=OPEN + timedelta(hours=1)).holes] == [OPEN + timedelta(hours=1)]
    early = _cover(upto=OPEN)
    assert (early.start, early.holes) == (None, ())


def test_an_early_close_ends_the_hours() -> None:
    """On the Friday after Thanksgiving the last option closes at a quarter past one."""
    found = _cover(session=date(2026, 11, 27))
    assert found.end == datetime(2026, 11, 27, 18, 15, tzinfo=UTC)


def test_the_brokers_clock_goes_on_from_its_last_reading() -> None:
    """At its speed; without a reading it is our own."""
    reading = ClockReading(heard_at=END, broker_at=OPEN, skew_ms=0.0)
    later = END + timedelta(seconds=2)
    assert broker_now(reading, later, 60) == OPEN + timedelta(minutes=2)
    assert broker_now(reading, END - timedelta(seconds=1), 60) == OPEN
    assert broker_now(None, later, 60) == later
