"""After the close a symbol is closed, with one record, until the first tick of the next session."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from driven_market import DrivenMarket, share
from ingest_desk import market_settings, symbol_settings
from kept_updates import rows_of

from adapters.ibkr.market.health import healths
from adapters.ibkr.market.replay import ReplayedCapture, read_capture
from trading.calendar import session_close, session_open
from trading.model.market import InstrumentState, MarketKind, TradingState
from trading.services.watch_feeds import FeedWatch

FRIDAY, MONDAY = date(2026, 11, 13), date(2026, 11, 16)
EARLY = date(2026, 11, 27)  # 13:00 in New York
MARKET = market_settings(AAPL=symbol_settings(bars=False), SPY=symbol_settings(bars=False))
STEP_S = 10.0


def desk_at(begins_at: datetime, capture: Path | None = None) -> DrivenMarket:
    """A session that is connected at a moment; nothing was heard yet."""
    desk = DrivenMarket(MARKET, begins_at=begins_at, capture=capture)
    desk.connect()
    return desk


def quote_all(desk: DrivenMarket, cents: int) -> None:
    """Every symbol tells another quote."""
    for symbol in MARKET.symbols:
        desk.quote(500 + cents / 100, 501.0 + cents / 100, symbol)


def play(desk: DrivenMarket, until: datetime, *, with_quotes: bool = True, step_s: float = STEP_S) -> None:
    """Time passes to a moment, in quotes or in silence."""
    cents = 0
    while desk.broker_at < until:
        desk.move(min(step_s, (until - desk.broker_at).total_seconds()))
        cents = (cents + 1) % 50
        if with_quotes:
            quote_all(desk, cents)
        desk.flush()


def told(desk: DrivenMarket, symbol: str) -> list[tuple[TradingState, datetime]]:
    """The states of a symbol as the warehouse is told."""
    return [(row.state, row.at) for row in states(desk) if row.symbol == symbol]


def states(desk: DrivenMarket) -> list[InstrumentState]:
    """Of all symbols."""
    return desk.rows(MarketKind.STATE)


@pytest.mark.parametrize("session", [FRIDAY, EARLY])
def test_a_symbol_closes_with_the_last_of_its_instruments(session: date) -> None:
    """A share at the close, a fund whose options trade on 15 minutes later; on early closes, too."""
    close = session_close(session)
    desk = desk_at(close - timedelta(minutes=1))
    play(desk, close + timedelta(minutes=20))
    opened = close - timedelta(minutes=1) + timedelta(seconds=STEP_S)
    assert told(desk, "AAPL") == [(TradingState.OPEN, opened), (TradingState.CLOSED, close)]
    late = close + timedelta(minutes=15)
    assert told(desk, "SPY") == [(TradingState.OPEN, opened), (TradingState.CLOSED, late)]


@pytest.mark.parametrize("is_lost", [False, True])
def test_silence_and_a_lost_link_after_the_close_are_not_stale(*, is_lost: bool) -> None:
    """A link that is lost, and one that tells nothing, leave the session closed; no alert is raised."""
    close = session_close(FRIDAY)
    desk, watch = desk_at(close - timedelta(minutes=1)), FeedWatch()
    play(desk, close + timedelta(minutes=16))
    if is_lost:
        desk.cut()
    for _ in range(60):
        desk.clock.at += timedelta(minutes=1)
        desk.broker_at += timedelta(minutes=1)
        desk.flush()
        at = desk.session.market_time()
        assert at is not None
        judged = watch.judge(healths(desk.session, desk.ingest, at, desk.clock.at), at)
        assert not judged.events
        assert not any(each.stands_still for each in judged.feeds)
    assert [state for state, _ in told(desk, "SPY")] == [TradingState.OPEN, TradingState.CLOSED]


@pytest.mark.parametrize(
    ("session", "following"),
    [
        (FRIDAY, MONDAY),
        (date(2026, 3, 6), date(2026, 3, 9)),  # the clocks go on
        (date(2026, 10, 30), date(2026, 11, 2)),  # and back
        (date(2026, 11, 25), EARLY),  # a holiday between
    ],
)
def test_the_first_tick_since_the_opening_ends_it_and_none_before(session: date, following: date) -> None:
    """Quotes before the opening are heard, and open nothing; over a weekend there is one record."""
    desk = desk_at(session_close(session) - timedelta(minutes=1))
    opening = session_open(following)
    play(desk, session_close(session) + timedelta(minutes=16))
    play(desk, opening - timedelta(minutes=5), with_quotes=False, step_s=3_600)
    play(desk, opening - timedelta(seconds=1))
    assert [state for state, _ in told(desk, "AAPL")] == [TradingState.OPEN, TradingState.CLOSED]
    play(desk, opening + timedelta(seconds=30), with_quotes=False)
    assert told(desk, "AAPL")[-1][0] is TradingState.CLOSED
    play(desk, opening + timedelta(seconds=40))
    assert told(desk, "AAPL")[-1] == (TradingState.OPEN, opening + timedelta(seconds=40))
    assert len(told(desk, "AAPL")) == 3


def test_who_begins_before_the_opening_says_so_at_once() -> None:
    """Without a quote: the state is there, and the first tick of the session opens it."""
    desk = desk_at(session_open(MONDAY) - timedelta(minutes=1))
    desk.flush()
    assert [state for state, _ in told(desk, "SPY")] == [TradingState.CLOSED]
    play(desk, session_open(MONDAY) + timedelta(seconds=1))
    assert [state for state, _ in told(desk, "SPY")] == [TradingState.CLOSED, TradingState.OPEN]


def test_a_link_that_is_dead_at_the_opening_is_stale_and_not_closed() -> None:
    """What was hidden by the night comes out with the opening."""
    desk = desk_at(session_close(FRIDAY) - timedelta(minutes=1))
    play(desk, session_close(FRIDAY) + timedelta(minutes=16))
    desk.cut("the night's reset")
    for moment in (session_open(MONDAY) - timedelta(seconds=1), session_open(MONDAY) + timedelta(seconds=1)):
        desk.clock.at += moment - desk.broker_at
        desk.broker_at = moment
        desk.flush()
    assert [state for state, _ in told(desk, "SPY")][-2:] == [TradingState.CLOSED, TradingState.STALE]
    assert states(desk)[-1].reason == "the night's reset"


def test_a_night_that_is_skipped_is_a_close_all_the_same() -> None:
    """A simulated broker goes from a session's end to the next one's beginning at once."""
    desk = desk_at(session_close(FRIDAY) - timedelta(minutes=1))
    play(desk, session_close(FRIDAY) - timedelta(seconds=10))
    desk.move((session_open(MONDAY) + timedelta(seconds=1) - desk.broker_at).total_seconds())
    quote_all(desk, 7)
    desk.flush()
    play(desk, session_open(MONDAY) + timedelta(seconds=20))
    assert [state for state, _ in told(desk, "AAPL")] == [
        TradingState.OPEN,
        TradingState.CLOSED,
        TradingState.OPEN,
    ]


def test_a_capture_that_is_played_again_closes_the_same(tmp_path: Path) -> None:
    """It follows from the market's times alone; what the test told without messages is not in the capture."""
    desk = desk_at(session_close(FRIDAY) - timedelta(minutes=1), tmp_path / "capture.gz")
    play(desk, session_close(FRIDAY) + timedelta(minutes=16))
    assert desk.writer is not None
    desk.writer.close()
    played = ReplayedCapture(desk.session.budget.symbols, desk.ingest)
    again = [update for record in read_capture(tmp_path / "capture.gz") for update in played.take(record)]
    closed = [row for row in states(desk) if row.state is TradingState.CLOSED]
    assert rows_of(again, MarketKind.STATE) == closed
    assert {row.instrument_id for row in states(desk)} == {
        share(name).instrument_id for name in MARKET.symbols
    }
    assert all(row.at.tzinfo is UTC for row in states(desk))
