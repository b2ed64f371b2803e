"""Which minutes of a session are missing, and when a hole is over."""

from datetime import UTC, datetime, timedelta

import pytest

from trading.market.bars import MinuteBars
from trading.market.minute_holes import MinuteHole, MinuteHoles
from trading.model.market import BarOrigin

OPENS = datetime(2026, 11, 13, 14, 30, tzinfo=UTC)
CLOSES = OPENS + timedelta(minutes=390)
PRICES = (500.0, 501.0, 499.0, 500.5)


def minute(number: int) -> datetime:
    """The beginning of a minute of the session."""
    return OPENS + timedelta(minutes=number)


def hole(first: int, stops: int) -> MinuteHole:
    """The hole of these minutes, the last one left out."""
    return MinuteHole(minute(first), minute(stops))


@pytest.fixture
def holes() -> MinuteHoles:
    """Of a session of which nothing is known."""
    made = MinuteHoles()
    made.begin_session(OPENS, CLOSES)
    return made


def test_a_hole_is_over_when_a_whole_minute_stands_behind_it(holes: MinuteHoles) -> None:
    """While it grows nobody knows what to ask for."""
    holes.fill(minute(each) for each in (0, 1, 4))
    assert holes.holes(minute(10)) == [hole(2, 4)]
    holes.fill([minute(9)])
    assert holes.holes(minute(10)) == [hole(2, 4), hole(5, 9)]


def test_what_has_only_just_passed_is_left_to_late_pieces(holes: MinuteHoles) -> None:
    """A hole that began before the moment is told, one behind it not."""
    holes.fill(minute(each) for each in (0, 2, 4))
    assert holes.holes(minute(2)) == [hole(1, 2)]
    assert holes.holes(minute(0)) == []


def test_the_close_ends_a_hole(holes: MinuteHoles) -> None:
    """Nothing comes behind the last minute; nor before the first."""
    holes.fill([minute(388)])
    assert holes.holes(CLOSES + timedelta(minutes=1)) == [hole(0, 388), hole(389, 390)]
    holes.fill(minute(each) for each in (-1, 390, 5_000))
    assert len(holes.holes(CLOSES)) == 2


def test_filled_holes_are_none_and_a_session_begins_with_nothing(holes: MinuteHoles) -> None:
    """The same minutes of the next day are others."""
    holes.fill(minute(each) for each in range(390))
    assert holes.holes(CLOSES) == []
    day = timedelta(days=1)
    holes.begin_session(OPENS + day, CLOSES + day)
    assert holes.holes(CLOSES + day) == [MinuteHole(OPENS + day, CLOSES + day)]
    assert MinuteHoles().holes(CLOSES) == []


def pieces(bars: MinuteBars, number: int, count: int = 12) -> None:
    """So many of a minute's pieces."""
    for place in range(count):
        bars.piece(minute(number) + timedelta(seconds=5 * place), PRICES, 10, 500, 1)


def test_a_minute_of_history_takes_the_place_of_a_part_and_stands() -> None:
    """Told with the same key, marked; a late piece of it says nothing any more."""
    bars = MinuteBars("SPY", "STK:SPY")
    bars.begin_session(OPENS, CLOSES)
    for number, count in ((0, 12), (1, 5), (3, 12)):
        pieces(bars, number, count)
    assert [bar.origin for bar in bars.flush()] == [BarOrigin.TOLD, BarOrigin.PARTIAL, BarOrigin.TOLD]
    assert bars.holes.holes(minute(5)) == [hole(1, 3)]
    for number in (1, 2):
        assert bars.refill(minute(number), PRICES, 777, 500.25, 70)
    told = bars.flush()
    assert [(bar.at, bar.volume, bar.trades, bar.origin) for bar in told] == [
        (minute(1), 777, 70, BarOrigin.REFILLED),
        (minute(2), 777, 70, BarOrigin.REFILLED),
    ]
    assert bars.holes.holes(minute(5)) == []
    bars.piece(minute(1) + timedelta(seconds=55), PRICES, 10, 500, 1)
    assert bars.flush() == ()


def test_a_part_that_waits_to_be_told_does_not_come_behind_the_minute_of_history() -> None:
    """Both have one key, and the last one told stands."""
    bars = MinuteBars("SPY", "STK:SPY")
    bars.begin_session(OPENS, CLOSES)
    pieces(bars, 0, 5)
    bars.advance(minute(3))
    assert bars.refill(minute(0), PRICES, 777, 500.25, 70)
    assert [(bar.at, bar.origin) for bar in bars.flush()] == [(minute(0), BarOrigin.REFILLED)]


@pytest.mark.parametrize(
    ("at", "prices"),
    [
        (OPENS + timedelta(seconds=5), PRICES),
        (OPENS - timedelta(minutes=1), PRICES),
        (OPENS, (500.0, 499.0, 501.0, 500.0)),
        (OPENS, (float("nan"),) * 4),
    ],
)
def test_what_is_no_minute_of_the_session_is_refused(at: datetime, prices: tuple[float, ...]) -> None:
    """It goes to the dead letter, and the hole stays."""
    bars = MinuteBars("SPY", "STK:SPY")
    bars.begin_session(OPENS, CLOSES)
    assert not bars.refill(at, prices, 1, 1, 1)
    assert len(bars.flush_refused()) == 1
    assert bars.flush() == ()


def test_a_piece_without_a_trade_says_nothing_of_the_minutes_prices() -> None:
    """It repeats the price before it; prints and history know no such price."""
    bars = MinuteBars("SPY", "STK:SPY")
    bars.begin_session(OPENS, CLOSES)
    for place in range(12):
        quiet = place in (0, 11)
        prices = (600.0,) * 4 if quiet else PRICES
        bars.piece(OPENS + timedelta(seconds=5 * place), prices, 0 if quiet else 10, 500, 0 if quiet else 1)
    (bar,) = bars.flush()
    assert (bar.open, bar.high, bar.low, bar.close) == (500, 501, 499, bar.close)
    assert (float(bar.close), bar.volume, bar.origin) == (500.5, 100, BarOrigin.TOLD)
    pieces_of_nothing = [(OPENS + timedelta(minutes=1, seconds=5 * place)) for place in range(12)]
    for at in pieces_of_nothing:
        bars.piece(at, (600.0,) * 4, 0, 600, 0)
    (bar,) = bars.flush()
    assert (bar.open, bar.volume) == (600, 0)
