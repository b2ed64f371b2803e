"""Prints that a tick-by-tick line did not tell show in the running total that level 1 tells."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.market.print_holes import PrintHole
from trading.market.tape import PrintSource, Tape

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)


def later(seconds: float) -> datetime:
    """A moment of the day."""
    return NOON + timedelta(seconds=seconds)


class Told:
    """A tape whose two lines tell the trades of a market: one a second, of ever more shares."""

    def __init__(self) -> None:
        self.tape = Tape("SPY", "STK:SPY", source=PrintSource.TICK_BY_TICK, conid=756733)
        self.total = 5_000
        self.number = 0

    def trade(self, count: int = 1, *, has_text: bool = True, has_tick: bool = True, cut: float = 0) -> None:
        """Trades, told or not; `cut` is what the texts' clock is ahead of the ticks'."""
        for _ in range(count):
            self.number += 1
            size, at = 100 + self.number, later(self.number + 0.9)
            self.total += size
            if has_text:
                self.text(size, at + timedelta(seconds=cut))
            if has_tick:
                self.tape.print_(int(at.timestamp()), 500.0, size, "ARCA", "", at)

    def text(self, size: int, at: datetime) -> None:
        """A print as text."""
        told = f"500;{size};{int(at.timestamp() * 1000)};{self.total};500;false"
        self.tape.rt_volume(told, at)

    def holes(self) -> tuple[PrintHole, ...]:
        """What is missing."""
        return self.tape.flush_holes()


def test_a_pause_that_no_limit_sees_is_a_hole() -> None:
    """Both lines tell nothing for two seconds: the total jumps, and nothing else says it."""
    told = Told()
    told.trade(5)
    told.trade(2, has_text=False, has_tick=False)
    told.trade(6)
    (hole,) = told.holes()
    assert hole.since <= later(6) and hole.until >= later(8), hole
    assert hole.since >= later(4), "what was heard until then is not in it"
    assert hole.reason == "prints of 213 shares were not told"
    assert told.tape.volume_missed == Decimal(106 + 107)
    told.trade(20)
    assert told.holes() == (), "it is told once"


def test_a_line_that_leaves_prints_out_while_the_texts_go_on_is_a_hole() -> None:
    """Each time, also the second one."""
    told = Told()
    told.trade(5)
    for _ in range(2):
        first = told.number + 1
        told.trade(2, has_tick=False)
        told.trade(5)
        (hole,) = told.holes()
        assert hole.since <= later(first) and hole.until >= later(first + 2), hole


def test_texts_that_are_left_out_are_no_hole() -> None:
    """Level 1 is sampled: it tells no loss of the other line."""
    told = Told()
    told.trade(5)
    told.trade(3, has_text=False)
    told.trade(1)
    told.trade(3, has_text=False)
    told.trade(5)
    assert told.holes() == ()


def test_one_line_may_be_ahead_of_the_other() -> None:
    """Only seconds that both have left behind are compared, whoever comes first."""
    for texts_first in (True, False):
        told = Told()
        for _ in range(4):
            begins, total = told.number, told.total
            told.trade(30, has_text=texts_first, has_tick=not texts_first)
            assert told.holes() == ()
            told.number, told.total = begins, total
            told.trade(30, has_text=not texts_first, has_tick=texts_first)
            assert told.holes() == ()


def test_a_trade_that_one_line_dates_into_the_second_before_is_no_hole() -> None:
    """The difference is larger for one second, and does not stay."""
    told = Told()
    told.trade(5)
    told.trade(1, cut=-0.95)
    told.trade(5)
    assert told.holes() == ()


def test_a_line_that_is_opened_anew_does_not_begin_the_sum_anew() -> None:
    """The total is the session's: a silence just before the line ended is a hole all the same."""
    told = Told()
    told.trade(5)
    told.trade(2, has_text=False, has_tick=False)
    told.tape.begin_line()
    told.trade(5)
    (hole,) = told.holes()
    assert hole.since <= later(6) and hole.until >= later(8), hole


def test_another_session_begins_anew_and_the_one_before_is_told_to_its_end() -> None:
    """Nobody would compare it again."""
    told = Told()
    told.trade(5)
    told.trade(2, has_text=False, has_tick=False)
    told.trade(1)
    assert told.holes() == ()
    told.total = 0
    told.trade(5)
    (hole,) = told.holes()
    assert hole.since <= later(6) and hole.until >= later(8), hole
    told.trade(5)
    assert told.holes() == ()


def test_a_text_that_nobody_can_read_says_nothing() -> None:
    """It is no row of this tape, which has its prints from the other line."""
    told = Told()
    told.trade(5)
    told.tape.rt_volume("500;;;", later(6))
    told.trade(5)
    assert told.holes() == () and told.tape.flush_refused() == ()
