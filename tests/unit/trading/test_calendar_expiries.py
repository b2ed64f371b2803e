"""Expiries: sessions to them, the last trade by the rules, and what an expired contract is."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading import calendar
from trading.calendar import ContractState, DteBand, dte_band
from trading.errors import InvalidFieldError
from trading.model.instruments import Option

NEW_YORK = ZoneInfo("America/New_York")
FRIDAY = date(2026, 11, 20)


def at(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


@pytest.mark.parametrize(
    ("expiry", "moment", "sessions"),
    [
        (FRIDAY, at(FRIDAY, "09:30"), 0),
        (FRIDAY, at(FRIDAY, "16:30"), 0),
        (FRIDAY, at(date(2026, 11, 19), "12:00"), 1),
        (FRIDAY, at(date(2026, 11, 19), "20:00"), 0),
        (date(2026, 11, 23), at(FRIDAY, "12:00"), 1),
        (date(2026, 11, 27), at(date(2026, 11, 25), "12:00"), 1),
        (date(2026, 12, 4), at(FRIDAY, "12:00"), 9),
        (FRIDAY, at(FRIDAY, "20:00"), None),
        (FRIDAY, at(date(2026, 11, 21), "12:00"), None),
    ],
)
def test_dte_counts_sessions(expiry: date, moment: datetime, sessions: int | None) -> None:
    """Weekends and holidays do not count; a day that is over is no DTE 0."""
    assert calendar.dte(expiry, moment) == sessions


def test_calendar_days_are_shown_beside_sessions() -> None:
    """Friday to Monday is one session and three days."""
    assert calendar.dte(date(2026, 11, 23), at(FRIDAY, "12:00")) == 1
    assert calendar.calendar_days(date(2026, 11, 23), at(FRIDAY, "12:00")) == 3
    assert calendar.calendar_days(FRIDAY, at(date(2026, 11, 21), "12:00")) is None


@pytest.mark.parametrize(
    ("expiry", "session"),
    [
        (date(2014, 6, 7), date(2014, 6, 6)),
        (date(2015, 1, 17), date(2015, 1, 16)),
        (date(2014, 4, 19), date(2014, 4, 17)),  # Saturday after Good Friday
        (date(2026, 4, 3), date(2026, 4, 2)),  # Good Friday
        (FRIDAY, FRIDAY),
    ],
)
def test_old_saturdays_and_holidays_mean_the_session_before(expiry: date, session: date) -> None:
    """Until February 2015 monthly options were dated by the Saturday after their last trading day."""
    assert calendar.expiry_session(expiry) == session


@pytest.mark.parametrize(
    ("occ", "day", "clock"),
    [
        ("AAPL  261120C00200000", FRIDAY, "16:00"),
        ("AAPL  261127C00200000", date(2026, 11, 27), "13:00"),
        ("GOOG  151224C00735000", date(2015, 12, 24), "13:00"),
        ("AAPL  150117C00092860", date(2015, 1, 16), "16:00"),
        ("SPY   261120C00660000", FRIDAY, "16:15"),
        ("QQQ   261127C00600000", date(2026, 11, 27), "13:15"),
        ("IWM   261224C00200000", date(2026, 12, 24), "13:15"),
        ("SPXW  210104C03700000", date(2021, 1, 4), "16:00"),
        ("SPXW  261127C06000000", date(2026, 11, 27), "13:00"),
        ("XSP   261120C00600000", FRIDAY, "16:00"),
        ("SPX   210115C03800000", date(2021, 1, 14), "16:15"),
        ("NDX   261120C20000000", date(2026, 11, 19), "16:15"),
        ("RUT   261120C02000000", date(2026, 11, 19), "16:15"),
        ("VIX   261118C00020000", date(2026, 11, 17), "16:15"),
        ("SPX   251225C06000000", date(2025, 12, 23), "16:15"),
        ("SPX   261130C06000000", date(2026, 11, 27), "13:15"),
        ("RUTW  261120C02000000", FRIDAY, "16:00"),
    ],
)
def test_last_trade_by_the_rules(occ: str, day: date, clock: str) -> None:
    """Shares 16:00, funds 16:15, PM indexes 16:00, AM ones the session before; early closes earlier."""
    last = calendar.last_trade(Option.from_occ(occ))
    assert last.at == at(day, clock)
    assert last.session == day
    assert last.agrees


def test_am_settlement_is_taken_at_the_opening_of_expiry() -> None:
    """January SPX trades to Thursday and is settled on Friday's opening."""
    last = calendar.last_trade(Option.from_occ("SPX   210115C03800000"))
    assert last.settles_at == at(date(2021, 1, 15), "09:30")


def test_the_brokers_last_trade_is_used_and_checked() -> None:
    """Where the broker knows, its word counts, and a difference to the rules is visible."""
    contract = Option.from_occ("AAPL  261120C00200000")
    same = calendar.last_trade(contract, broker=at(FRIDAY, "16:00"))
    other = calendar.last_trade(contract, broker=at(FRIDAY, "13:00"))
    assert same.agrees
    assert not other.agrees
    assert other.at == at(FRIDAY, "13:00")
    with pytest.raises(InvalidFieldError):
        calendar.last_trade(contract, broker=datetime(2026, 11, 20, 16, 0))


def test_the_librarys_index_calendar_is_not_used_because_it_misses_early_closes() -> None:
    """XCBF agrees on full days and has no early close on 24 December, where index options stop at 13:15.

    When this test fails the library has learned it, and the calendar may use XCBF.
    """
    import exchange_calendars

    cboe = exchange_calendars.get_calendar("XCBF", start="2025-01-02", end="2026-12-31")
    full, short = date(2026, 11, 20), date(2026, 12, 24)
    assert cboe.session_close(full.isoformat()) == calendar.session_close(full) + timedelta(minutes=15)
    assert cboe.session_close(short.isoformat()) == at(short, "16:15")


def test_daily_close_of_a_contract() -> None:
    """SPXW trades to 16:15 on other days and to 16:00 on its last one; shares always to 16:00."""
    weekly = Option.from_occ("SPXW  261120C06000000")
    assert calendar.option_close(weekly, date(2026, 11, 19)) == at(date(2026, 11, 19), "16:15")
    assert calendar.option_close(weekly, FRIDAY) == at(FRIDAY, "16:00")
    share = Option.from_occ("AAPL  261120C00200000")
    assert calendar.option_close(share, date(2026, 11, 19)) == at(date(2026, 11, 19), "16:00")


@pytest.mark.parametrize(
    ("occ", "moment", "state"),
    [
        ("AAPL  261120C00200000", at(FRIDAY, "15:59"), ContractState.TRADING),
        ("AAPL  261120C00200000", at(FRIDAY, "16:00"), ContractState.EXPIRED),
        ("SPY   261120C00660000", at(FRIDAY, "16:10"), ContractState.TRADING),
        ("SPX   210115C03800000", at(date(2021, 1, 14), "16:10"), ContractState.TRADING),
        ("SPX   210115C03800000", at(date(2021, 1, 14), "18:00"), ContractState.CEASED),
        ("SPX   210115C03800000", at(date(2021, 1, 15), "09:29"), ContractState.CEASED),
        ("SPX   210115C03800000", at(date(2021, 1, 15), "09:30"), ContractState.EXPIRED),
    ],
)
def test_an_expired_contract_is_a_state(occ: str, moment: datetime, state: ContractState) -> None:
    """After its last trade a contract is not DTE 0: it has ceased, and then it is over."""
    contract = Option.from_occ(occ)
    assert calendar.contract_state(contract, moment) is state
    assert (calendar.contract_dte(contract, moment) is None) == (state is not ContractState.TRADING)


def test_am_contracts_count_to_their_last_trading_session() -> None:
    """On Wednesday the January SPX option, expiring on Friday, has one session left."""
    contract = Option.from_occ("SPX   210115C03800000")
    wednesday = at(date(2021, 1, 13), "12:00")
    assert calendar.contract_dte(contract, wednesday) == 1
    assert calendar.dte(contract.expiry, wednesday) == 2


@pytest.mark.parametrize(
    ("days", "name"), [(0, "0dte"), (1, "1dte"), (2, "14dte"), (14, "14dte"), (500, "14dte"), (-1, None)]
)
def test_default_bands(days: int, name: str | None) -> None:
    """Zero, one, and two or more."""
    assert dte_band(days) == name


def test_bands_are_configuration() -> None:
    """What lies in no band has none."""
    bands = (DteBand("week", 0, 5), DteBand("month", 6, 22))
    assert [dte_band(days, bands) for days in (0, 5, 6, 22, 23)] == ["week", "week", "month", "month", None]


CHAIN = [
    Option.from_occ(occ)
    for occ in (
        "SPXW  210113C03800000",
        "SPXW  210113P03800000",
        "SPX   210115C03800000",
        "SPXW  210115C03800000",
        "SPXW  210120C03800000",
        "SPY   210114C00380000",
    )
]


@pytest.mark.parametrize(
    ("n", "clock", "expiry"),
    [
        (0, "12:00", date(2021, 1, 13)),
        (0, "16:10", date(2021, 1, 15)),  # the day's own has ceased to trade
        (1, "12:00", date(2021, 1, 15)),  # the AM-settled one trades one more session
        (2, "12:00", date(2021, 1, 15)),  # the PM-settled one two
        (3, "12:00", date(2021, 1, 20)),
        (9, "12:00", None),
    ],
)
def test_nearest_listed_expiry_at_or_after_the_nth_session(n: int, clock: str, expiry: date | None) -> None:
    """Only the symbol's own contracts that still trade are candidates."""
    assert calendar.expiry_for_dte("spx", n, at(date(2021, 1, 13), clock), CHAIN) == expiry


def test_nearest_expiry_of_plain_dates() -> None:
    """Where only dates are known they are counted in sessions."""
    dates = [date(2026, 12, 4), date(2026, 11, 27), FRIDAY]
    assert calendar.nearest_expiry(1, at(FRIDAY, "12:00"), dates) == date(2026, 11, 27)
    assert calendar.nearest_expiry(0, at(FRIDAY, "12:00"), dates) == FRIDAY
    assert calendar.nearest_expiry(99, at(FRIDAY, "12:00"), dates) is None


def test_negative_sessions_are_refused() -> None:
    """Nobody chooses an expiry in the past."""
    with pytest.raises(InvalidFieldError, match="n: "):
        calendar.expiry_for_dte("SPX", -1, at(FRIDAY, "12:00"), CHAIN)


@settings(deadline=None)
@given(st.dates(date(1990, 2, 1), date(2032, 11, 1)), st.integers(0, 30))
def test_dte_is_the_number_of_sessions_after_today(day: date, days: int) -> None:
    """Counting sessions one by one gives the same number."""
    session = calendar.session_on_or_after(day)
    expiry = session + timedelta(days=days)
    counted = len(calendar.sessions_between(session, calendar.expiry_session(expiry))) - 1
    assert calendar.dte(expiry, calendar.session_open(session)) == counted


@settings(deadline=None)
@given(
    st.dates(date(2010, 1, 10), date(2032, 12, 20)), st.sampled_from(["AAPL", "SPY", "SPX", "SPXW", "VIX"])
)
def test_a_contract_settles_on_its_expiry_and_never_trades_after_it(day: date, root: str) -> None:
    """The last trade is on or before the expiry, in a session, at or after its regular close."""
    contract = Option.from_occ(f"{root:<6}{day:%y%m%d}C00100000")
    last = calendar.last_trade(contract)
    assert calendar.is_session(last.session)
    assert last.session <= day
    assert timedelta(0) <= last.at - calendar.session_close(last.session) <= timedelta(minutes=15)
