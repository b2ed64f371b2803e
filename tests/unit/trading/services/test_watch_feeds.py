"""Feeds that stand still: one alert for each episode, none out of hours, none lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidFieldError, LiveStateUnavailableError
from trading.ports.alerts import Alerts
from trading.ports.feed_health import FeedBoard, FeedHealth, FeedState
from trading.services.watch_feeds import (
    FEEDS_MAX,
    SYMBOLS_PER_ALERT_MAX,
    FeedEventKind,
    FeedWatch,
    watch_feeds,
)

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)  # New York
OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
EARLY_CLOSE = datetime(2026, 11, 27, 18, tzinfo=UTC)
LIMIT_S = 15


@dataclass(slots=True)
class Told(Alerts):
    """Every alert in order; while `is_away` none can be written."""

    alerts: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    def raise_alert(self, code: str, text: str) -> bool:
        """Keep it, unless away."""
        if not self.is_away:
            self.alerts.append((code, text))
        return not self.is_away

    def of(self, kind: str) -> list[str]:
        """The texts of one kind."""
        return [text for code, text in self.alerts if code.startswith(kind)]


@dataclass(slots=True)
class Board(FeedBoard):
    """What was said last."""

    said: Sequence[FeedHealth] = ()
    is_away: bool = False

    def say(self, feeds: Sequence[FeedHealth]) -> None:
        """Keep it, unless away."""
        if self.is_away:
            raise LiveStateUnavailableError("away")
        self.said = feeds

    def feeds(self) -> Sequence[FeedHealth]:
        """What was said."""
        return self.said


def quotes(newest_at: datetime | None, symbol: str = "SPY", **fields: object) -> FeedHealth:
    """A feed of quotes as its reporter tells it."""
    told = FeedHealth(
        feed="quotes", symbol=symbol, source="ibkr", state=FeedState.RUNNING, said_at=NOON,
        newest_at=newest_at, limit_s=LIMIT_S,
    )  # fmt: skip
    return replace(told, **fields)


def after(seconds: float) -> datetime:
    """A moment from noon on."""
    return NOON + timedelta(seconds=seconds)


def look(watch: FeedWatch, told: Told, feeds: Sequence[FeedHealth], now: datetime) -> list[FeedEventKind]:
    """One look; what changed."""
    return [event.kind for event in watch_feeds(watch, Board(), told, feeds, now).events]


def test_an_episode_is_one_alert_and_its_end_another():
    """However often a stale feed is looked at, a person hears of it once, and once that it is back."""
    watch, told = FeedWatch(), Told()
    assert look(watch, told, [quotes(NOON)], after(LIMIT_S)) == []
    assert look(watch, told, [quotes(NOON)], after(LIMIT_S + 1)) == [FeedEventKind.STALE]
    for seconds in range(20, 100, 10):
        assert look(watch, told, [quotes(NOON)], after(seconds)) == []
    assert look(watch, told, [quotes(after(99))], after(100)) == [FeedEventKind.RESOLVED]
    assert told.of("feed_stale") == ["ibkr quotes stands still (limit 15 s): SPY 16 s old"]
    assert told.of("feed_resolved") == ["ibkr quotes tells again: SPY after 100 s"]


def test_a_clock_that_is_set_back_hides_no_silence_of_what_never_told():
    """The limit counts from the look at the older time, and not from a time to come."""
    watch, told = FeedWatch(), Told()
    assert look(watch, told, [quotes(None)], after(0)) == []
    assert look(watch, told, [quotes(None)], after(-3_600)) == []
    assert look(watch, told, [quotes(None)], after(-3_600 + LIMIT_S + 1)) == [FeedEventKind.STALE]


def test_an_episode_of_its_own_is_not_taken_for_one_that_a_process_before_left_open():
    """Where nobody could say at the first look what is open, the answer at the second has our own."""

    class Forgetful(Told):
        def __init__(self) -> None:
            super().__init__()
            self.answers: list[list[str] | None] = [None, ["feed_stale-of-before"]]
            self.ended: list[str] = []

        def episodes_left(self) -> Sequence[str] | None:
            answer = self.answers.pop(0)
            return None if answer is None else answer + [code for code, _ in self.alerts]

        def end_episode(self, code: str, by: str, market_at: datetime) -> bool:
            self.ended.append(code)
            return True

    watch, told = FeedWatch(), Forgetful()
    for seconds in (LIMIT_S + 1, LIMIT_S + 2):
        look(watch, told, [quotes(NOON)], after(seconds))
    assert len(told.alerts) == 1
    assert told.ended == ["feed_stale-of-before"]


def test_a_second_episode_is_told_again():
    """Another silence of a feed has an alert with a code of its own, which no repeat guard swallows."""
    watch, told = FeedWatch(), Told()
    for newest, now in ((0, 16), (20, 20), (20, 36)):
        look(watch, told, [quotes(after(newest))], after(now))
    codes = [code for code, _ in told.alerts if code.startswith("feed_stale")]
    assert len(set(codes)) == 2


def test_out_of_hours_nothing_is_stale():
    """At the close an episode is cleared without a word, and the night is idle."""
    watch, told = FeedWatch(), Told()
    last = EARLY_CLOSE - timedelta(seconds=60)
    assert look(watch, told, [quotes(last)], EARLY_CLOSE - timedelta(seconds=1)) == [FeedEventKind.STALE]
    judged = watch_feeds(watch, Board(), told, [quotes(last)], EARLY_CLOSE)
    assert [event.kind for event in judged.events] == [FeedEventKind.CLEARED]
    assert judged.feeds[0].state is FeedState.IDLE
    assert judged.feeds[0].age_s == 60
    assert look(watch, told, [quotes(last)], EARLY_CLOSE + timedelta(hours=5)) == []
    assert not told.of("feed_resolved")


def test_the_opening_gives_the_limit_anew():
    """Yesterday's last quote is not stale at the opening bell, but is when the limit after it is over."""
    watch, told = FeedWatch(), Told()
    yesterday = OPEN - timedelta(hours=17)
    assert look(watch, told, [quotes(yesterday)], OPEN - timedelta(hours=1)) == []
    assert look(watch, told, [quotes(yesterday)], OPEN + timedelta(seconds=LIMIT_S)) == []
    assert look(watch, told, [quotes(yesterday)], OPEN + timedelta(seconds=LIMIT_S + 1)) == [
        FeedEventKind.STALE
    ]


def test_a_feed_that_never_told_is_starting_and_then_stale():
    """No row ever is no excuse: after the limit it is an alert that says so."""
    watch, told = FeedWatch(), Told()
    judged = watch_feeds(watch, Board(), told, [quotes(None)], NOON)
    assert judged.feeds[0].state is FeedState.STARTING
    assert look(watch, told, [quotes(None)], after(LIMIT_S + 1)) == [FeedEventKind.STALE]
    assert told.of("feed_stale") == ["ibkr quotes stands still (limit 15 s): SPY never told"]


def test_a_row_from_the_future_hides_no_silence():
    """A venue whose clock is an hour ahead is stale when it stops, not an hour later."""
    watch, told = FeedWatch(), Told()
    ahead = NOON + timedelta(hours=1)
    assert look(watch, told, [quotes(ahead)], NOON) == []
    assert look(watch, told, [quotes(ahead)], after(LIMIT_S + 1)) == [FeedEventKind.STALE]


def test_a_clock_that_is_set_back_hides_no_silence():
    """The broker's clock steps back an hour: the feed is stale a limit later, not an hour."""
    watch, told = FeedWatch(), Told()
    look(watch, told, [quotes(NOON)], NOON)
    back = NOON - timedelta(hours=1)
    assert look(watch, told, [quotes(NOON)], back) == []
    assert look(watch, told, [quotes(NOON)], back + timedelta(seconds=LIMIT_S + 1)) == [FeedEventKind.STALE]


def test_an_alert_that_could_not_be_written_is_written_later():
    """Redis is away when the feed stops: the first look that reaches it tells, once."""
    watch, told = FeedWatch(), Told(is_away=True)
    look(watch, told, [quotes(NOON)], after(20))
    look(watch, told, [quotes(NOON)], after(30))
    told.is_away = False
    look(watch, told, [quotes(NOON)], after(40))
    look(watch, told, [quotes(NOON)], after(50))
    assert told.of("feed_stale") == ["ibkr quotes stands still (limit 15 s): SPY 40 s old"]


def test_an_episode_that_ended_while_no_alert_could_be_written_is_still_told():
    """A silence from beginning to end behind a Redis that was away is no secret afterwards."""
    watch, told = FeedWatch(), Told(is_away=True)
    look(watch, told, [quotes(NOON)], after(20))
    look(watch, told, [quotes(after(30))], after(30))
    told.is_away = False
    look(watch, told, [quotes(after(40))], after(40))
    look(watch, told, [quotes(after(50))], after(50))
    assert told.of("feed_stale") == ["ibkr quotes stands still (limit 15 s): SPY 20 s old"]


def test_a_board_that_is_away_loses_no_alert():
    """The alert is raised before the board is set, and the board's failure is the caller's to hear."""
    watch, told = FeedWatch(), Told()
    with pytest.raises(LiveStateUnavailableError):
        watch_feeds(watch, Board(is_away=True), told, [quotes(NOON)], after(20))
    assert len(told.of("feed_stale")) == 1


def test_an_open_breaker_is_shown_and_its_silence_told():
    """A broken feed stays broken on the board, and its silence is an episode like any other."""
    watch, told = FeedWatch(), Told()
    broken = quotes(NOON, state=FeedState.BROKEN)
    judged = watch_feeds(watch, Board(), told, [broken], after(20))
    assert judged.feeds[0].state is FeedState.BROKEN and judged.feeds[0].stands_still
    assert not watch_feeds(watch, Board(), told, [broken], EARLY_CLOSE).feeds[0].stands_still
    assert told.of("feed_stale") == ["ibkr quotes stands still (limit 15 s): SPY 20 s old, breaker open"]


def test_a_feed_without_a_line_is_shown_and_no_fault():
    """Nothing can come and nothing is missed: the state is as told, in and out of hours, without an alert."""
    watch, told = FeedWatch(), Told()
    absent = quotes(None, state=FeedState.ABSENT, limit_s=None)
    for now in (NOON, after(100), OPEN - timedelta(hours=5)):
        assert watch_feeds(watch, Board(), told, [absent], now).feeds[0].state is FeedState.ABSENT
    assert told.alerts == []


def test_a_farm_that_goes_down_is_few_alerts_that_name_all():
    """A hundred and twenty feeds stop at once: three alerts, every symbol in exactly one."""
    watch, told = FeedWatch(), Told()
    names = [f"S{number:03}" for number in range(120)]
    look(watch, told, [quotes(NOON, name) for name in names], after(20))
    texts = told.of("feed_stale")
    assert len(texts) == -(-len(names) // SYMBOLS_PER_ALERT_MAX)
    assert [sum(name in text for text in texts) for name in names] == [1] * len(names)


def test_a_feed_that_is_not_reported_any_more_ends_its_episode():
    """An unsubscribed symbol leaves the memory, and its episode is cleared."""
    watch, told = FeedWatch(), Told()
    look(watch, told, [quotes(NOON)], after(20))
    assert look(watch, told, [], after(30)) == [FeedEventKind.CLEARED]
    assert look(watch, told, [], after(40)) == []


def test_without_a_limit_nothing_is_stale():
    """News may be silent for days."""
    watch, told = FeedWatch(), Told()
    assert look(watch, told, [quotes(OPEN, limit_s=None)], NOON) == []


def test_rates_are_rows_of_a_market_second_and_a_restart_is_no_negative_rate():
    """The rate is that between two looks; counters that begin anew give none."""
    watch = FeedWatch()
    watch.judge([quotes(NOON, rows=100)], NOON)
    assert watch.judge([quotes(after(10), rows=150)], after(10)).feeds[0].rows_per_s == 5.0
    assert watch.judge([quotes(after(20), rows=3)], after(20)).feeds[0].rows_per_s == 0.0


def test_more_feeds_than_the_bound_are_refused():
    """A reporter that invents feeds is stopped by name."""
    with pytest.raises(InvalidFieldError, match="feeds"):
        FeedWatch().judge([quotes(NOON)] * (FEEDS_MAX + 1), NOON)


@given(
    st.lists(st.tuples(st.integers(1, 60), st.booleans(), st.booleans()), max_size=60),
    st.sampled_from([NOON, OPEN - timedelta(minutes=5), EARLY_CLOSE - timedelta(minutes=5)]),
)
def test_there_is_never_a_stale_feed_without_its_alert(steps, start):
    """Whatever happens, as many alerts as episodes, and none is open unseen once alerts can be written."""
    watch, told, now, newest = FeedWatch(), Told(), start, start
    stale_events = 0
    for seconds, tells, is_away in steps:
        now += timedelta(seconds=seconds)
        newest = now if tells else newest
        told.is_away = is_away
        judged = watch_feeds(watch, Board(), told, [quotes(newest)], now)
        begun = [event for event in judged.events if event.kind is FeedEventKind.STALE]
        stale_events += len(begun)
        is_stale = judged.feeds[0].state is FeedState.STALE
        assert is_stale == (
            (now - max(newest, OPEN if start < NOON else newest)).total_seconds() > LIMIT_S
            and judged.feeds[0].state is not FeedState.IDLE
        )
        if is_stale and not is_away:
            assert len(told.of("feed_stale")) >= 1
    assert len(told.of("feed_stale")) <= stale_events
    if not any(is_away for *_, is_away in steps):
        assert len(told.of("feed_stale")) == stale_events
