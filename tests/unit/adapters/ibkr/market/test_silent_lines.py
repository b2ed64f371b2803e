"""A line that tells nothing in its hours is asked for anew; a market that is silent as a whole is not."""

from datetime import date

import pytest
from driven_market import ASK, BID, INSERT, UPDATE, DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.lines import LineKind
from trading.calendar import session_open

SESSION = date(2026, 11, 13)
MARKET = market_settings(SPY=symbol_settings(depth=True))
LIMIT_S = 60  # four times that of a quote
KINDS = (LineKind.LEVEL1, LineKind.BARS, LineKind.DEPTH)


def begun(minutes: float = 5) -> DrivenMarket:
    """A session of one share with a book and bars."""
    desk = DrivenMarket(MARKET, begins_at=after_opening(SESSION, minutes))
    desk.connect()
    hear(desk, 1, set(KINDS))
    return desk


def hear(desk: DrivenMarket, turns: int, kinds: set[LineKind]) -> None:
    """Five seconds each turn, in which only lines of these kinds tell something."""
    for turn in range(turns):
        at = desk.broker_at
        desk.move(5)
        is_open = {kind: bool(desk.session.subscribing.lines.of_kind(kind)) for kind in KINDS}
        if LineKind.LEVEL1 in kinds and is_open[LineKind.LEVEL1]:
            desk.quote(500 + turn % 2, 500.5 + turn % 2)
        if LineKind.BARS in kinds and is_open[LineKind.BARS]:
            prices = (500.0, 501.0, 499.0, 500.5)
            desk.session.bar(desk.number(LineKind.BARS), int(at.timestamp()), prices, 10, 500, 1)
        if LineKind.DEPTH in kinds and is_open[LineKind.DEPTH]:
            book = desk.session.feeds.symbols["SPY"].book
            operation = INSERT if book is None or book.is_empty else UPDATE
            desk.level(operation, ASK, 500.5 + turn % 2 / 100)
            desk.level(operation, BID, 500.0)
        desk.flush()


def asked(desk: DrivenMarket) -> dict[LineKind, int]:
    """How often each line was asked for."""
    return {kind: len(desk.asked_lines(kind)) for kind in KINDS}


@pytest.mark.parametrize("silent", KINDS)
def test_one_silent_line_is_asked_for_anew_and_no_other(silent: LineKind) -> None:
    """Not before its limit; heard again, it is left alone."""
    desk = begun()
    others = set(KINDS) - {silent}
    hear(desk, LIMIT_S // 5 - 2, others)
    assert set(asked(desk).values()) == {1}
    hear(desk, 10, others)
    assert asked(desk) == {kind: 2 if kind is silent else 1 for kind in KINDS}
    hear(desk, 30, set(KINDS))
    assert asked(desk)[silent] == 2


def test_a_market_that_is_silent_as_a_whole_uses_up_no_request_for_bars() -> None:
    """Level 1 is asked for again and again, bars and books wait for it."""
    desk = begun()
    hear(desk, 60, set())
    assert asked(desk)[LineKind.LEVEL1] >= 3
    assert (asked(desk)[LineKind.BARS], asked(desk)[LineKind.DEPTH]) == (1, 1)


def test_the_night_is_no_silence() -> None:
    """Lines that were asked for before the opening have their limit from there."""
    desk = begun(minutes=-30)
    hear(desk, 30 * 12, set())
    assert desk.broker_at > session_open(SESSION)
    hear(desk, LIMIT_S // 5 - 4, set())
    assert set(asked(desk).values()) == {1}


def test_a_halt_is_no_silence() -> None:
    """Nothing is quoted; the line lives."""
    desk = begun()
    desk.session.value(desk.number(LineKind.LEVEL1), 49, 1.0)
    hear(desk, 60, set())
    assert asked(desk)[LineKind.LEVEL1] == 1


def test_a_book_that_stands_still_in_a_halt_is_no_silence() -> None:
    """Quotes are told for a while, and nobody changes the book or trades."""
    desk = begun()
    desk.session.value(desk.number(LineKind.LEVEL1), 49, 1.0)
    hear(desk, 60, {LineKind.LEVEL1})
    assert set(asked(desk).values()) == {1}


def test_an_index_is_not_asked_for_anew() -> None:
    """It is told where it differs, and a calm one differs seldom."""
    desk = DrivenMarket(market_settings(SPX=symbol_settings()), begins_at=after_opening(SESSION))
    desk.connect()
    for _ in range(60):
        desk.move(5)
        desk.flush()
    assert len(desk.asked_lines(LineKind.LEVEL1)) == 1
