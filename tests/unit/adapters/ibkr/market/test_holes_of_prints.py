"""Where a tape says that prints may be missing is never narrower than where they are."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from driven_market import DrivenMarket, after_opening
from ingest_desk import market_settings, symbol_settings
from kept_updates import rows_of

from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.replay import ReplayedCapture, read_capture
from trading.market import tape
from trading.model.market import MarketKind

DAY = date(2026, 11, 13)
MARKET = market_settings(SPY=symbol_settings(bars=False, tick_by_tick=True), AAPL=symbol_settings(bars=False))
BEGINS = after_opening(DAY)
Span = tuple[datetime, datetime]


def begun(begins_at: datetime = BEGINS, **given: Any) -> DrivenMarket:
    """A session that is connected and has heard nothing."""
    desk = DrivenMarket(MARKET, begins_at=begins_at, **given)
    desk.connect()
    return desk


def tick(desk: DrivenMarket, printed_at: datetime) -> None:
    """A print of SPY, tick by tick: its time is whole seconds."""
    number = desk.number(LineKind.PRINTS)
    desk.session.print_(number, int(printed_at.timestamp()), 500.0, 100, "ARCA", "")


def text(desk: DrivenMarket, printed_at: datetime, total: int, symbol: str = "AAPL") -> None:
    """A print as text."""
    number = desk.number(LineKind.LEVEL1, symbol)
    told = f"500;100;{int(printed_at.timestamp() * 1000)};{total};500;false"
    desk.session.text(number, 48, told)


def holes(desk: DrivenMarket, symbol: str = "SPY") -> list[Span]:
    """Where prints may be missing, as it is told."""
    desk.flush()
    rows = [row for row in desk.rows(MarketKind.REFUSED) if (row.feed, row.field) == ("prints", "gap")]
    words = [row.payload.split(" ") for row in rows if row.symbol == symbol]
    return [(datetime.fromisoformat(since), datetime.fromisoformat(until)) for _, since, _, until in words]


def second(moment: datetime) -> datetime:
    """Its beginning."""
    return moment.replace(microsecond=0)


def test_quotes_that_are_there_again_end_no_hole_of_prints() -> None:
    """The tick-by-tick line is asked for behind all others, and once in 15 seconds: a print ends it."""
    desk = begun()
    last = desk.clock.at
    tick(desk, last)
    desk.cut()
    desk.move(2)
    desk.connect()
    desk.quote(500.0, 500.02)
    desk.move(1)
    desk.quote(500.0, 500.01)
    assert holes(desk) == []
    desk.move(20)
    first = desk.clock.at
    tick(desk, first)
    assert holes(desk) == [(second(last), second(first) + timedelta(seconds=1))]


def test_what_was_not_read_yet_when_the_link_was_lost_is_in_the_hole() -> None:
    """A busy machine hears a print long after its time; those behind it are lost with the link."""
    desk = begun()
    printed = desk.clock.at
    desk.move(50)
    tick(desk, printed)
    text(desk, printed, 1_000)
    desk.quote(500.0, 500.02, "AAPL")
    desk.cut()
    desk.move(2)
    desk.connect()
    desk.move(20)
    tick(desk, desk.clock.at)
    text(desk, desk.clock.at, 5_000)
    for symbol in ("SPY", "AAPL"):
        ((since, until),) = holes(desk, symbol)
        assert since <= printed and until >= desk.clock.at - timedelta(seconds=1), symbol


def test_a_print_that_was_reported_late_ends_a_hole_when_it_was_heard() -> None:
    """Its own time lies before what was lost."""
    desk = begun()
    last = desk.clock.at
    tick(desk, last)
    desk.cut()
    desk.move(60)
    desk.connect()
    tick(desk, last - timedelta(seconds=30))
    assert holes(desk) == [(second(last) - timedelta(seconds=30), desk.clock.at)]


@pytest.mark.parametrize(("code", "waits_s"), [(322, 61), (10182, 16), (10225, 16), (102, 16)])
def test_a_line_that_ended_alone_is_a_hole_of_its_prints(code: int, waits_s: float) -> None:
    """The link and the quotes go on, and the line of the prints is asked for again."""
    desk = begun()
    desk.move(20)
    last = desk.clock.at
    tick(desk, last)
    desk.session.error(desk.number(LineKind.PRINTS), code, "the test said so", "")
    for _ in range(3):
        desk.move(waits_s / 3)
        desk.quote(500.0, 500.02)
    desk.move(1)
    first = desk.clock.at
    tick(desk, first)
    assert holes(desk) == [(second(last), second(first) + timedelta(seconds=1))]


def test_a_line_of_texts_that_is_asked_for_anew_is_a_hole_of_its_prints() -> None:
    """Its running total begins anew, so nothing else shows what was printed between the two."""
    desk = begun()
    desk.move(20)
    last = desk.clock.at
    text(desk, last, 1_000)
    desk.session.error(desk.number(LineKind.LEVEL1, "AAPL"), 10182, "live updates broke off", "")
    desk.move(5)
    first = desk.clock.at
    text(desk, first, 9_000)
    ((since, until),) = holes(desk, "AAPL")
    assert since <= last and until >= first - timedelta(milliseconds=1)


def test_texts_that_were_left_aside_until_tick_by_tick_was_refused_are_in_a_hole() -> None:
    """10190: the tape is that of level 1 from here on, and what was told before is not in it."""
    desk = begun()
    last = desk.clock.at
    tick(desk, last)
    desk.move(5)
    text(desk, desk.clock.at, 1_000, "SPY")
    desk.session.error(desk.number(LineKind.PRINTS), 10190, "too many", "")
    assert holes(desk) == []
    desk.move(5)
    text(desk, desk.clock.at, 1_200, "SPY")
    ((since, until),) = holes(desk)
    assert since <= last and until >= desk.clock.at - timedelta(milliseconds=1)


def test_what_came_between_1100_and_1102_ends_no_hole() -> None:
    """A straggler is no sign that all of it came."""
    desk = begun()
    tick(desk, desk.clock.at)
    desk.session.error(-1, 1100, "lost", "")
    desk.move(1)
    straggler = desk.clock.at
    tick(desk, straggler)
    desk.move(60)
    desk.session.error(-1, 1102, "back, data kept", "")
    desk.move(1)
    tick(desk, desk.clock.at)
    assert holes(desk)[-1] == (second(straggler), second(desk.clock.at) + timedelta(seconds=1))


def resumed(begins_at: datetime, quoted: datetime, printed: datetime) -> DrivenMarket:
    """A process after another one, which wrote a quote and a print last."""
    desk = DrivenMarket(MARKET, begins_at=begins_at)
    desk.session.resume({"SPY": quoted, "AAPL": quoted}, {}, {"SPY": printed, "AAPL": printed})
    desk.connect()
    return desk


def test_a_hole_that_was_open_when_the_process_was_killed_is_in_its_successors() -> None:
    """Quotes were heard until the kill, prints not: their line had not come back."""
    printed, quoted = BEGINS, BEGINS + timedelta(seconds=40)
    desk = resumed(BEGINS + timedelta(seconds=60), quoted, printed)
    tick(desk, desk.clock.at)
    ((since, until),) = holes(desk)
    assert since <= printed and until >= desk.clock.at


def test_a_process_that_was_away_over_a_close_names_the_day_before() -> None:
    """From its last quote in that session's hours on; where it heard the close, from the opening."""
    before = after_opening(date(2026, 11, 12), 60)
    closed = after_opening(date(2026, 11, 12), 400)
    for quoted, since in ((before, before), (closed, after_opening(DAY, 0))):
        desk = resumed(BEGINS, quoted, quoted)
        desk.move(1)
        desk.quote(500.0, 500.02)
        tick(desk, desk.clock.at)
        assert holes(desk)[0][0] == since
        quotes = [row for row in desk.rows(MarketKind.REFUSED) if row.feed == "level1"]
        assert {row.at for row in quotes} == {since}


def test_the_print_that_a_line_opens_with_is_no_sign_and_no_second_print() -> None:
    """A broker tells the last text when a line opens, and the process before had it."""
    printed = BEGINS - timedelta(seconds=30)
    desk = resumed(BEGINS, printed, printed)
    text(desk, printed, 1_000)
    assert holes(desk, "AAPL") == []
    assert desk.rows(MarketKind.TRADE) == []
    desk.move(5)
    text(desk, desk.clock.at, 4_000)
    ((since, until),) = holes(desk, "AAPL")
    assert since <= printed and until >= desk.clock.at - timedelta(milliseconds=1)
    assert len(desk.rows(MarketKind.TRADE)) == 1


def test_prints_beyond_what_waits_for_a_flush_are_in_a_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are counted, and said."""
    monkeypatch.setattr(tape, "PRINTS_WAITING_MAX", 3)
    desk = begun()
    kept = desk.clock.at
    for _ in range(3):
        tick(desk, kept)
    desk.move(2)
    tick(desk, desk.clock.at)
    assert holes(desk) == []
    desk.move(2)
    tick(desk, desk.clock.at)
    assert holes(desk) == [(second(kept), second(desk.clock.at) + timedelta(seconds=1))]


def test_holes_are_the_same_when_a_capture_is_played_again(tmp_path: Path) -> None:
    """What began them stands in the capture."""
    desk = begun(capture=tmp_path / "capture.gz")
    desk.session.error(desk.number(LineKind.PRINTS), 322, "the test said so", "")
    desk.move(70)
    desk.flush()
    desk.cut()
    desk.move(5)
    desk.connect()
    desk.move(20)
    desk.flush()
    assert desk.writer is not None
    desk.writer.close()
    desk.writer.failed = "it is over"
    played = ReplayedCapture(desk.session.budget.symbols, desk.ingest)
    for record in read_capture(tmp_path / "capture.gz"):
        played.take(record)
    played.at = desk.clock.at
    played.print_(desk.number(LineKind.PRINTS), int(desk.clock.at.timestamp()), 500.0, 100, "ARCA", "")
    told = rows_of(played.feeds.flush(desk.clock.at, desk.clock.at), MarketKind.REFUSED)
    tick(desk, desk.clock.at)
    assert [row.payload for row in told if row.feed == "prints"] == [
        f"from {since.isoformat()} to {until.isoformat()}" for since, until in holes(desk)
    ]


def test_a_line_of_prints_that_falls_silent_is_asked_for_anew_with_a_hole() -> None:
    """Level 1 goes on to tell prints, so somebody trades; where it does not, nobody does."""
    desk = begun()
    last = desk.clock.at
    tick(desk, last)
    for _ in range(20):
        desk.move(5)
        desk.quote(500.0, 500.02)
    assert len(desk.asked_lines(LineKind.PRINTS)) == 1
    for turn in range(20):
        desk.move(5)
        desk.quote(500.0, 500.02)
        text(desk, desk.clock.at, 1_000 + 100 * turn, "SPY")
    assert len(desk.asked_lines(LineKind.PRINTS)) == 2
    first = desk.clock.at
    tick(desk, first)
    assert holes(desk)[0] == (second(last), second(first) + timedelta(seconds=1))
