"""A book that stays crossed has lost a change: it is emptied and asked for anew, and a person told once."""

from datetime import date
from itertools import pairwise

import pytest
from driven_market import ASK, BID, DELETE, INSERT, UPDATE, DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.crossed_books import DOUBLINGS_MAX
from adapters.ibkr.market.lines import LineKind
from trading.model.market import MarketKind, TradingState

SESSION = date(2026, 11, 13)
MARKET = market_settings(SPY=symbol_settings(depth=True, bars=False))
LIMIT_S = 10


def begun(minutes: float = 5) -> DrivenMarket:
    """A session that hears a quote and a book of one row a side."""
    desk = DrivenMarket(MARKET, begins_at=after_opening(SESSION, minutes), book_crossed_max_s=LIMIT_S)
    desk.connect()
    desk.quote(500.0, 500.02)
    told(desk)
    return desk


def told(desk: DrivenMarket) -> None:
    """The book of the line that is open, from its beginning."""
    desk.level(INSERT, ASK, 500.02)
    desk.level(INSERT, BID, 500.0)
    desk.flush()


def lose_a_delete(desk: DrivenMarket) -> None:
    """The market falls: the best bid is gone, which nobody tells, and the ask comes down behind it."""
    desk.level(UPDATE, ASK, 499.98)
    desk.flush()


def wait(desk: DrivenMarket, seconds: int) -> None:
    """Seconds in which level 1 goes on, and is told."""
    for second in range(seconds):
        desk.move(1)
        desk.quote(499.9 - second % 2 / 100, 499.98)
        desk.flush()


def states(desk: DrivenMarket) -> list[TradingState]:
    """As they were told."""
    return [row.state for row in desk.rows(MarketKind.STATE)]


def book_gaps(desk: DrivenMarket) -> list[str]:
    """Why the book was not heard."""
    rows = desk.rows(MarketKind.REFUSED)
    return [row.reason for row in rows if row.feed == "depth" and row.field == "gap"]


def test_a_book_that_stays_crossed_is_asked_for_anew_once_and_the_state_says_so() -> None:
    """Not before the limit; crossed until it is told whole again; another book, another number."""
    desk = begun()
    lose_a_delete(desk)
    first = desk.number(LineKind.DEPTH)
    wait(desk, LIMIT_S)
    assert (desk.number(LineKind.DEPTH), states(desk)) == (first, [TradingState.OPEN])
    wait(desk, 3)
    assert desk.number(LineKind.DEPTH) != first
    assert len(desk.asked_lines(LineKind.DEPTH)) == 2
    assert desk.alerts == ["book_crossed_SPY"]
    assert states(desk) == [TradingState.OPEN, TradingState.CROSSED]
    assert [reason[:20] for reason in book_gaps(desk)] == ["the book was crossed"]
    told(desk)
    wait(desk, 2)
    assert states(desk)[-1] is TradingState.OPEN


def test_a_book_that_is_crossed_for_one_update_is_left_alone() -> None:
    """The bid is told before the ask of the same move, and a flush comes between the two."""
    desk = begun()
    for _ in range(3):
        desk.level(UPDATE, BID, 500.03)
        desk.flush()
        wait(desk, 1)
        desk.level(UPDATE, ASK, 500.04)
        wait(desk, LIMIT_S)
        desk.level(UPDATE, BID, 500.0)
        desk.level(UPDATE, ASK, 500.02)
    assert len(desk.asked_lines(LineKind.DEPTH)) == 1
    assert not desk.alerts
    assert set(states(desk)) == {TradingState.OPEN}


def test_a_book_that_is_crossed_again_when_told_anew_is_asked_for_ever_more_seldom() -> None:
    """What the broker repeats is his word: one alert for the episode, another one for the next."""
    desk = begun()
    lose_a_delete(desk)
    for _ in range(400):
        before = len(desk.asked_lines(LineKind.DEPTH))
        wait(desk, 1)
        if len(desk.asked_lines(LineKind.DEPTH)) > before:
            desk.level(INSERT, ASK, 499.98)
            desk.level(INSERT, BID, 500.0)
        elif desk.session.subscribing.lines.of_kind(LineKind.DEPTH):
            desk.level(UPDATE, BID, 500.0)  # it is wrong, and not silent
    assert 4 <= len(desk.asked_lines(LineKind.DEPTH)) <= 7
    assert desk.alerts == ["book_crossed_SPY"]
    desk.level(DELETE, BID, 0)
    desk.level(INSERT, BID, 499.97)
    wait(desk, 70)
    lose_a_delete(desk)
    desk.level(UPDATE, BID, 499.99)
    wait(desk, LIMIT_S + 2)
    assert desk.alerts == ["book_crossed_SPY", "book_crossed_SPY"]


def test_a_book_that_is_crossed_all_day_is_asked_for_again_within_a_bound() -> None:
    """The pauses grow to 32 times the limit and no further."""
    desk, asked_at = begun(), []
    lose_a_delete(desk)
    for second in range(1_400):
        before = len(desk.asked_lines(LineKind.DEPTH))
        wait(desk, 1)
        if len(desk.asked_lines(LineKind.DEPTH)) > before:
            asked_at.append(second)
            desk.level(INSERT, ASK, 499.98)
            desk.level(INSERT, BID, 500.0)
        elif desk.session.subscribing.lines.of_kind(LineKind.DEPTH):
            desk.level(UPDATE, BID, 500.0)
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert pauses[-1] < 2 ** (DOUBLINGS_MAX + 1) * LIMIT_S
    assert pauses[-1] - pauses[-2] < LIMIT_S, "the last two are equal"


def test_a_locked_book_is_crossed_too() -> None:
    """Bid and ask at one price for longer than the limit."""
    desk = begun()
    desk.level(UPDATE, ASK, 500.0)
    wait(desk, LIMIT_S + 2)
    assert desk.alerts == ["book_crossed_SPY"]


@pytest.mark.parametrize("why", ["halt", "before the opening"])
def test_a_book_that_nobody_trades_on_may_be_crossed(why: str) -> None:
    """Orders gather in a halt and before the opening; the limit counts from when trading begins."""
    desk = begun(minutes=5 if why == "halt" else -2)
    if why == "halt":
        desk.session.value(desk.number(LineKind.LEVEL1), 49, 2.0)
    lose_a_delete(desk)
    wait(desk, 118)
    assert not desk.alerts
    if why == "halt":
        desk.session.value(desk.number(LineKind.LEVEL1), 49, 0.0)
        desk.level(UPDATE, BID, 500.0)  # trading begins: the book moves
    wait(desk, LIMIT_S)
    assert not desk.alerts
    wait(desk, 5)
    assert desk.alerts == ["book_crossed_SPY"]


def test_without_a_book_there_is_no_doubt_about_it() -> None:
    """Asked for anew, and refused: the quote is the book from then on, and trading goes on."""
    desk = begun()
    lose_a_delete(desk)
    wait(desk, LIMIT_S + 3)
    assert states(desk)[-1] is TradingState.CROSSED
    desk.session.error(desk.number(LineKind.DEPTH), 309, "no line left", "")
    wait(desk, 2)
    assert states(desk)[-1] is TradingState.OPEN
