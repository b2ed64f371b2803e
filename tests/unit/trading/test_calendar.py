"""Which session a moment belongs to, when it opens and closes, and what is refused."""

import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading import calendar
from trading.calendar import TradingCalendar
from trading.errors import InvalidFieldError
from trading.model.fills import Venue

NEW_YORK = ZoneInfo("America/New_York")
THURSDAY = date(2026, 11, 19)
FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 23)
HALF_DAY = date(2026, 11, 27)  # the day after Thanksgiving, 13:00
MOMENTS = st.datetimes(datetime(1990, 1, 3), datetime(2032, 12, 30)).map(lambda at: at.replace(tzinfo=UTC))
DAYS = st.dates(date(1990, 1, 10), date(2032, 12, 20))


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


@pytest.mark.parametrize(
    ("moment", "session"),
    [
        (at(FRIDAY, "00:00"), FRIDAY),
        (at(FRIDAY, "04:00"), FRIDAY),
        (at(FRIDAY, "12:00"), FRIDAY),
        (at(FRIDAY, "16:00"), FRIDAY),
        (at(FRIDAY, "19:59:59"), FRIDAY),
        (at(FRIDAY, "20:00"), MONDAY),
        (at(FRIDAY, "21:00"), MONDAY),
        (at(date(2026, 11, 21), "12:00"), MONDAY),
        (at(date(2026, 11, 22), "23:59"), MONDAY),
        (at(THURSDAY, "20:00"), FRIDAY),
        (at(date(2026, 11, 26), "12:00"), HALF_DAY),
        (at(date(2026, 11, 25), "20:30"), HALF_DAY),
        (at(HALF_DAY, "16:59"), HALF_DAY),
        (at(HALF_DAY, "17:00"), date(2026, 11, 30)),
        (at(date(2015, 12, 24), "16:59"), date(2015, 12, 24)),
        (at(date(2015, 12, 24), "17:00"), date(2015, 12, 28)),
    ],
)
def test_a_moment_belongs_to_its_session(moment: datetime, session: date) -> None:
    """Friday night, weekends and holidays belong to the next session; early closes end four hours later."""
    assert calendar.trading_session(moment) == session


def test_nothing_resets_at_utc_midnight() -> None:
    """At 00:00 UTC it is 19:00 in New York: still the same session."""
    assert calendar.trading_session(datetime(2026, 11, 20, 0, 0, tzinfo=UTC)) == THURSDAY


@pytest.mark.parametrize(
    ("session", "opens", "closes"),
    [
        (date(2026, 3, 6), "14:30", "21:00"),  # winter time
        (date(2026, 3, 9), "13:30", "20:00"),  # summer time
        (date(2026, 10, 30), "13:30", "20:00"),
        (date(2026, 11, 2), "14:30", "21:00"),
        (HALF_DAY, "14:30", "18:00"),
        (date(2015, 12, 24), "14:30", "18:00"),
    ],
)
def test_opens_and_closes_follow_daylight_saving_and_early_closes(
    session: date, opens: str, closes: str
) -> None:
    """The clock in New York is the same; the moment in UTC is not."""
    assert calendar.session_open(session) == datetime.combine(session, time.fromisoformat(opens), UTC)
    assert calendar.session_close(session) == datetime.combine(session, time.fromisoformat(closes), UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(FRIDAY, "09:29:59"), False),
        (at(FRIDAY, "09:30"), True),
        (at(FRIDAY, "15:59:59"), True),
        (at(FRIDAY, "16:00"), False),
        (at(HALF_DAY, "12:59"), True),
        (at(HALF_DAY, "13:00"), False),
        (at(date(2026, 11, 26), "12:00"), False),
        (at(date(2026, 11, 21), "12:00"), False),
    ],
)
def test_regular_hours_are_from_open_to_before_close(moment: datetime, expected: bool) -> None:
    """The opening belongs to the session's regular hours, the close does not."""
    assert calendar.is_rth(moment) is expected


@pytest.mark.parametrize(
    ("moment", "minutes"),
    [
        (at(FRIDAY, "15:00"), 60.0),
        (at(FRIDAY, "15:59:30"), 0.5),
        (at(FRIDAY, "17:00"), -60.0),
        (at(HALF_DAY, "12:00"), 60.0),
        (at(FRIDAY, "09:30"), 390.0),
    ],
)
def test_minutes_to_close_count_to_the_sessions_own_close(moment: datetime, minutes: float) -> None:
    """On a half day the count ends at 13:00; in the post-market it is negative."""
    assert calendar.minutes_to_close(moment) == minutes


def test_sessions_around_a_holiday() -> None:
    """Thanksgiving is no session; the neighbors are the Wednesday and the Friday."""
    holiday = date(2026, 11, 26)
    assert not calendar.is_session(holiday)
    assert calendar.session_on_or_after(holiday) == HALF_DAY
    assert calendar.session_on_or_before(holiday) == date(2026, 11, 25)
    assert calendar.next_session(date(2026, 11, 25)) == HALF_DAY
    assert calendar.previous_session(HALF_DAY) == date(2026, 11, 25)
    assert calendar.sessions_between(date(2026, 11, 25), date(2026, 11, 30)) == (
        date(2026, 11, 25),
        HALF_DAY,
        date(2026, 11, 30),
    )
    assert calendar.sessions_between(HALF_DAY, holiday) == ()


@pytest.mark.parametrize(
    "question",
    [
        calendar.trading_session,
        calendar.is_rth,
        calendar.minutes_to_close,
        lambda ts: calendar.dte(FRIDAY, ts),
        lambda ts: calendar.trade_date_of(Venue.KRAKEN, ts),
        lambda ts: calendar.trade_date_of(Venue.IBKR, ts),
    ],
)
def test_naive_moments_are_refused(question: Any) -> None:
    """A time without zone would be read in somebody's own."""
    with pytest.raises(InvalidFieldError, match="aware"):
        question(datetime(2026, 11, 20, 12, 0))


@pytest.mark.parametrize("question", [calendar.session_open, calendar.session_close])
def test_a_day_without_session_has_no_opening(question: Any) -> None:
    """Asking for the close of a Sunday names the day and what was expected."""
    with pytest.raises(InvalidFieldError, match=r"XNYS session.*2026, 11, 22"):
        question(date(2026, 11, 22))


@pytest.mark.parametrize("day", [date(2033, 1, 3), date(1989, 12, 29), datetime(2026, 11, 20, tzinfo=UTC)])
def test_beyond_the_calendar_is_an_error_that_names_the_bound(day: date) -> None:
    """Six years ahead is known; beyond that nobody guesses."""
    with pytest.raises(InvalidFieldError, match=r"1990-01-02 to 2032-12-31"):
        calendar.is_session(day)


def test_the_last_day_has_no_next_session() -> None:
    """A moment after the last session's post-market belongs to nothing we know."""
    with pytest.raises(InvalidFieldError, match="2032-12-31"):
        calendar.trading_session(at(date(2032, 12, 31), "21:00"))


def test_a_composition_root_may_choose_another_end() -> None:
    """The bound is an argument, and a calendar of its own has its own bound."""
    short = TradingCalendar(end=date(2027, 12, 31))
    assert short.is_session(date(2027, 12, 30))
    with pytest.raises(InvalidFieldError, match="2027-12-31"):
        short.is_session(date(2028, 1, 3))


def test_leaps_expiries_are_known() -> None:
    """January of the sixth year is a session we can count to."""
    sessions = calendar.dte(date(2032, 1, 16), at(FRIDAY, "12:00"))
    assert sessions is not None
    assert 1_250 < sessions < 1_320


def test_import_does_not_load_the_library() -> None:
    """The library costs a second; who only imports the page does not pay it."""
    program = "import sys, trading.calendar; print('exchange_calendars' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("venue", "moment", "trade_date"),
    [
        (Venue.IBKR, at(THURSDAY, "20:14:59"), THURSDAY),
        (Venue.IBKR, at(THURSDAY, "20:15"), FRIDAY),
        (Venue.IBKR, at(THURSDAY, "23:59"), FRIDAY),
        (Venue.IBKR, at(FRIDAY, "00:01"), FRIDAY),
        (Venue.IBKR, at(date(2026, 11, 22), "20:15"), MONDAY),
        (Venue.KRAKEN, datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC), FRIDAY),
        (Venue.KRAKEN, datetime(2026, 11, 21, 0, 0, tzinfo=UTC), date(2026, 11, 21)),
        (Venue.KALSHI, datetime(2026, 11, 21, 4, 59, tzinfo=UTC), FRIDAY),
        (Venue.KALSHI, datetime(2026, 11, 21, 5, 0, tzinfo=UTC), date(2026, 11, 21)),
    ],
)
def test_each_venue_turns_its_trade_date_at_its_own_time(
    venue: Venue, moment: datetime, trade_date: date
) -> None:
    """IBKR's global session from 20:15 is the next day; Kraken's day is UTC; Kalshi's is New York's."""
    assert calendar.trade_date_of(venue, moment) == trade_date


@settings(deadline=None)
@given(MOMENTS)
def test_sessions_never_run_backwards(moment: datetime) -> None:
    """A later moment never belongs to an earlier session, and a session's own moments belong to it."""
    session = calendar.trading_session(moment)
    assert calendar.is_session(session)
    assert calendar.trading_session(moment + timedelta(hours=7)) >= session
    assert calendar.trading_session(calendar.session_open(session)) == session
    assert calendar.trading_session(calendar.session_close(session)) == session


@settings(deadline=None)
@given(MOMENTS)
def test_regular_hours_belong_to_the_days_own_session(moment: datetime) -> None:
    """In regular hours the session is the day in New York, and the close is ahead."""
    if calendar.is_rth(moment):
        assert calendar.trading_session(moment) == moment.astimezone(NEW_YORK).date()
        assert 0 < calendar.minutes_to_close(moment) <= 390


@settings(deadline=None)
@given(DAYS)
def test_neighbors_are_inverse(day: date) -> None:
    """The session before the next one after a session is that session."""
    session = calendar.session_on_or_after(day)
    assert session >= day
    assert calendar.previous_session(calendar.next_session(session)) == session
    assert calendar.session_on_or_before(day) <= day
