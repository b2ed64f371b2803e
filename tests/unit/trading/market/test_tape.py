"""Prints: signed by the quote before them, once, whatever the feed tells twice or wrongly."""

import csv
import io
import math
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from trading.market.tape import (
    LATE_MAX,
    PRINTS_WAITING_MAX,
    REFUSED_PER_FLUSH_MAX,
    TIMES_KEPT,
    TOUCHES_KEPT,
    PrintSource,
    Signer,
    Tape,
    side_of,
    signed_trades,
)
from trading.model.market import Aggressor, Quote, SignedBy, Trade
from trading.model.times import NEW_YORK

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
OPEN_MS, HALF_PAST_TEN_MS, CLOSE_MS = 34_200_000, 37_800_000, 57_600_000  # since midnight in New York


def later(seconds: float) -> datetime:
    """A moment of the day."""
    return NOON + timedelta(seconds=seconds)


def text(price: str, size: str = "100", at: datetime = NOON, total: str = "1000") -> str:
    """A print as the broker's text."""
    return f"{price};{size};{int(at.timestamp() * 1000)};{total};500.01;false"


@pytest.fixture
def tape() -> Tape:
    """A tape of texts, whose quote is 500.00 to 500.02 since a second."""
    made = Tape("SPY", "STK:SPY", source=PrintSource.RT_VOLUME, conid=756733)
    made.touch(500.0, 500.02, later(-1))
    return made


def test_a_print_carries_the_quote_that_stood_and_who_crossed_it(tape: Tape) -> None:
    """At the ask a buy, at the bid a sell; time, price, size and quote are those of the print."""
    tape.rt_volume(text("500.02", at=later(0.25)), later(1))
    tape.rt_volume(text("500.00", size="7", at=later(0.5), total="1007"), later(1))
    buy, sell = tape.flush()
    assert (buy.aggressor, buy.signed_by) == (Aggressor.BUY, SignedBy.QUOTE)
    assert (buy.at, buy.price, buy.size) == (later(0.25), Decimal("500.02"), Decimal(100))
    assert (buy.bid, buy.ask, buy.conid, buy.ordinal) == (Decimal(500), Decimal("500.02"), 756733, 0)
    assert (sell.aggressor, sell.size) == (Aggressor.SELL, Decimal(7))
    assert tape.flush() == ()
    assert tape.total == 2


def test_a_clock_that_was_set_back_makes_no_older_quotes(tape: Tape) -> None:
    """Quotes are heard in order: those that come with an older time do not stand at a print before them."""
    for seconds, ask in ((5, 500.04), (-60, 500.06), (-59, 500.08)):
        tape.touch(500.0, ask, later(seconds))
    tape.rt_volume(text("500.02", at=later(3)), later(6))
    assert [(trade.ask, trade.aggressor) for trade in tape.flush()] == [(Decimal("500.02"), Aggressor.BUY)]


def test_a_flood_of_wrong_prints_is_counted_and_bounded(tape: Tape) -> None:
    """Each flush tells so many at most; the count tells all."""
    for number in range(REFUSED_PER_FLUSH_MAX + 5):
        tape.rt_volume(f"no print {number}", NOON)
    assert len(tape.flush_refused()) == REFUSED_PER_FLUSH_MAX
    assert tape.refused == REFUSED_PER_FLUSH_MAX + 5


@pytest.mark.parametrize(
    ("price", "bid", "ask", "side"),
    [
        ("500.02", "500", "500.02", Aggressor.BUY),
        ("500.03", "500", "500.02", Aggressor.BUY),
        ("500.015", "500", "500.02", Aggressor.BUY),
        ("500.01", "500", "500.02", Aggressor.UNKNOWN),
        ("500.005", "500", "500.02", Aggressor.SELL),
        ("499", "500", "500.02", Aggressor.SELL),
        ("500", "500", "500", Aggressor.UNKNOWN),
        ("501", "500", "500", Aggressor.UNKNOWN),
        ("500", "500.02", "500", Aggressor.UNKNOWN),
        ("500", None, "500", Aggressor.BUY),
        ("499", None, "500", Aggressor.UNKNOWN),
        ("500", "500", None, Aggressor.SELL),
        ("501", "500", None, Aggressor.UNKNOWN),
        ("500", None, None, Aggressor.UNKNOWN),
    ],
)
def test_the_quote_rule(price: str, bid: str | None, ask: str | None, side: Aggressor) -> None:
    """Above the middle a buy, below a sell; the middle, a locked and a crossed quote say nothing."""
    assert side_of(Decimal(price), bid and Decimal(bid), ask and Decimal(ask)) is side  # type: ignore


def test_at_the_middle_the_last_change_of_price_says_it(tape: Tape) -> None:
    """The tick rule, over prints of the same price, too; before any change nobody knows."""
    for number, price in enumerate(("500.01", "500.02", "500.01", "500.01")):
        tape.rt_volume(text(price, total=str(number)), NOON)
    assert [(trade.aggressor, trade.signed_by) for trade in tape.flush()] == [
        (Aggressor.UNKNOWN, SignedBy.NONE),
        (Aggressor.BUY, SignedBy.QUOTE),
        (Aggressor.SELL, SignedBy.TICK),
        (Aggressor.SELL, SignedBy.TICK),
    ]


def test_a_quote_that_came_after_the_print_or_with_it_does_not_sign_it(tape: Tape) -> None:
    """The print is heard late; the quote of its own millisecond is the one that it left behind."""
    tape.touch(500.02, 500.04, NOON)
    tape.touch(500.04, 500.06, later(0.5))
    tape.rt_volume(text("500.02", at=NOON), later(1))
    (trade,) = tape.flush()
    assert (trade.aggressor, trade.ask) == (Aggressor.BUY, Decimal("500.02"))


def test_a_print_tick_by_tick_is_signed_by_the_quote_of_its_hearing() -> None:
    """Its own time has whole seconds only; venue and conditions are kept."""
    tape = Tape("SPY", "STK:SPY", source=PrintSource.TICK_BY_TICK)
    tape.touch(500.0, 500.02, later(0.1))
    tape.touch(500.02, 500.04, later(0.8))
    tape.print_(int(NOON.timestamp()), 500.02, 3, "ARCA", " T I", later(0.9))
    (trade,) = tape.flush()
    assert (trade.at, trade.aggressor) == (NOON, Aggressor.SELL)
    assert (trade.exchange, trade.conditions) == ("ARCA", " T I")


def test_an_instrument_has_one_source_of_prints(tape: Tape) -> None:
    """Both feeds tell the same trade; only one is heard."""
    tape.rt_volume(text("500.02"), NOON)
    tape.print_(int(NOON.timestamp()), 500.02, 100, "ARCA", "", NOON)
    other = Tape("SPY", "STK:SPY", source=PrintSource.TICK_BY_TICK)
    other.rt_volume(text("500.02"), NOON)
    assert len(tape.flush()) == 1
    assert other.flush() == ()


def test_the_last_text_told_again_on_a_new_line_is_one_print(tape: Tape) -> None:
    """After a line is asked for anew the broker begins with what it told last."""
    tape.rt_volume(text("500.02"), NOON)
    tape.begin_line()
    tape.rt_volume(text("500.02"), later(5))
    assert len(tape.flush()) == 1
    assert tape.told_again == 1


def test_equal_prints_of_one_time_are_kept_apart(tape: Tape) -> None:
    """By their ordinal, also with another time between; the running total tells them apart on the wire."""
    for total, moment in enumerate((NOON, NOON, later(1), NOON)):
        tape.rt_volume(text("500.02", at=moment, total=str(total)), NOON)
    assert [trade.ordinal for trade in tape.flush()] == [0, 1, 0, 2]


def test_times_are_numbered_within_a_bound(tape: Tape) -> None:
    """A day of distinct times does not grow the memory."""
    for number in range(TIMES_KEPT * 3):
        tape.rt_volume(text("500.02", at=later(number), total=str(number)), NOON)
    assert len(tape.flush()) == TIMES_KEPT * 3
    assert len(tape._ordinals) <= TIMES_KEPT


def test_volume_that_nobody_told_of_is_counted(tape: Tape) -> None:
    """The running total grew by more than the print; on a new line it begins anew."""
    tape.rt_volume(text("500.02", size="100", total="100"), NOON)
    tape.rt_volume(text("500.02", size="50", total="150"), NOON)
    assert tape.volume_missed == 0
    tape.rt_volume(text("500.02", size="50", total="500"), NOON)
    assert tape.volume_missed == 300
    tape.begin_line()
    tape.rt_volume(text("500.02", size="50", total="50000"), NOON)
    assert tape.volume_missed == 300


@pytest.mark.parametrize("told", [";0;{ms};1000;500.01;false", "500.02;0;{ms};1000;500.01;false"])
def test_a_text_without_a_price_or_size_is_a_volume_and_no_print(tape: Tape, told: str) -> None:
    """The broker tells the volume so when nothing printed."""
    tape.rt_volume(told.format(ms=int(NOON.timestamp() * 1000)), NOON)
    assert tape.flush() == ()
    assert tape.flush_refused() == ()


@pytest.mark.parametrize(
    "told",
    [
        "",
        "500.02;100",
        "nan;100;{ms};1;1;true",
        "-5;100;{ms};1;1;true",
        "0;100;{ms};1;1;true",
        "500;inf;{ms};1;1;true",
        "500;x;{ms};1;1;true",
        "500;1;;1;1;true",
        "500;1;12;1;1;true",
        "500;1;99999999999999999999;1;1;true",
        "500;1;{ms};1;1;true;more",
    ],
)
def test_a_text_that_is_no_print_goes_to_the_dead_letter(tape: Tape, told: str) -> None:
    """As it came, with what is wrong; the next print is heard."""
    told = told.format(ms=int(NOON.timestamp() * 1000))
    tape.rt_volume(told, NOON)
    assert tape.flush() == ()
    (row,) = tape.flush_refused()
    assert (row.symbol, row.feed, row.payload, row.at) == ("SPY", "trade", told, NOON)
    assert "expected" in row.reason
    assert tape.refused == 1
    assert tape.flush_refused() == ()
    tape.rt_volume(text("500.02"), NOON)
    assert len(tape.flush()) == 1


@pytest.mark.parametrize(
    ("epoch_s", "price", "size"),
    [(1, 500.0, 1.0), (10**12, 500.0, 1.0), (None, math.nan, 1.0), (None, -1.0, 1.0), (None, 500.0, 0.0)],
)
def test_a_tick_that_is_no_print_goes_to_the_dead_letter(
    epoch_s: int | None, price: float, size: float
) -> None:
    """No time, no price, no size."""
    tape = Tape("SPY", "STK:SPY", source=PrintSource.TICK_BY_TICK)
    tape.print_(int(NOON.timestamp()) if epoch_s is None else epoch_s, price, size, "", "", NOON)
    assert tape.flush() == ()
    assert len(tape.flush_refused()) == 1


YESTERDAYS_LAST = datetime(2026, 11, 12, 20, 59, 59, tzinfo=UTC)
POST_MARKET_ENDS = datetime(2026, 11, 13, 1, tzinfo=UTC)  # what prints from here on is of the 13th


def test_a_print_of_an_earlier_session_is_refused_with_its_time(tape: Tape) -> None:
    """A line that opens tells the last print there was: yesterday's is no print of today, and said once."""
    tape.rt_volume(text("500.02", at=YESTERDAYS_LAST), NOON)
    tape.begin_line()
    tape.rt_volume(text("500.02", at=YESTERDAYS_LAST), later(5))
    tape.rt_volume(text("500.02", size="7", at=NOON), later(5))
    assert [trade.at for trade in tape.flush()] == [NOON]
    (row,) = tape.flush_refused()
    assert row.field == "STK:SPY time"
    assert "session 2026-11-13" in row.reason
    assert str(YESTERDAYS_LAST) in row.reason
    assert (tape.refused, tape.told_again, tape.volume_missed) == (1, 1, 0)


def test_a_tick_of_an_earlier_session_is_refused_with_its_time() -> None:
    """Tick by tick as with the texts."""
    tape = Tape("SPY", "STK:SPY", source=PrintSource.TICK_BY_TICK)
    tape.print_(int(YESTERDAYS_LAST.timestamp()), 500.0, 1.0, "ARCA", "", NOON)
    assert tape.flush() == ()
    (row,) = tape.flush_refused()
    assert row.payload == repr(int(YESTERDAYS_LAST.timestamp()))
    assert str(YESTERDAYS_LAST) in row.reason


def test_a_late_print_is_taken_at_its_own_time(tape: Tape) -> None:
    """Of the session that is heard whenever it comes; of the one before only within the bound."""
    before = POST_MARKET_ENDS - timedelta(seconds=1)
    told = [
        (before, before + LATE_MAX),
        (before, before + LATE_MAX + timedelta(milliseconds=1)),
        (POST_MARKET_ENDS, later(3_600 * 7)),
    ]
    for number, (printed_at, heard_at) in enumerate(told):
        tape.rt_volume(text("500.02", at=printed_at, total=str(number)), heard_at)
    assert [trade.at for trade in tape.flush()] == [before, POST_MARKET_ENDS]
    assert tape.refused == 1


def test_prints_that_wait_are_bounded_and_the_lost_are_counted(tape: Tape) -> None:
    """A reader that never comes does not take the memory."""
    tape._prints = [None] * PRINTS_WAITING_MAX  # type: ignore[list-item]
    tape.rt_volume(text("500.02"), NOON)
    assert tape.lost == 1
    assert len(tape.flush()) == PRINTS_WAITING_MAX


def test_the_history_of_quotes_is_bounded_and_older_prints_have_none() -> None:
    """The newest are kept; a clock that was set back makes no older quote."""
    signer = Signer()
    for number in range(TOUCHES_KEPT * 5):
        signer.touch(1.0 + number, 2.0 + number, later(number))
    assert len(signer._times) < 2 * TOUCHES_KEPT
    assert signer.stood(later(0)) == (None, None)
    newest = TOUCHES_KEPT * 5 - 1
    signer.touch(7.0, None, later(-100))
    assert signer.stood(later(newest)) == (Decimal(7), None)
    assert signer.stood(later(newest), is_before=True)[0] == Decimal(newest)


# recorded tapes

Recorded = tuple[list[Quote], list[Trade]]


def rows(path: Path) -> Iterator[list[str]]:
    """The rows of a zipped file."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
        yield from csv.reader(io.TextIOWrapper(file))


@cache
def recorded(folder: Path, symbol: str, day: str, until_ms: int) -> Recorded:
    """National best quotes carried forward, and the prints; suspicious rows and other hours left out."""
    midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=NEW_YORK).astimezone(UTC)
    named = {"symbol": symbol, "instrument_id": f"STK:{symbol}"}
    bid = ask = None
    quotes, trades = [], []
    for ms, bid_told, _, ask_told, _, _, _, is_suspicious in rows(folder / f"{day}_quote.zip"):
        if int(ms) >= until_ms:
            break
        if is_suspicious == "0":
            bid = Decimal(bid_told).scaleb(-4) if int(bid_told) else bid
            ask = Decimal(ask_told).scaleb(-4) if int(ask_told) else ask
            at = midnight + timedelta(milliseconds=int(ms))
            quotes.append(Quote(**named, at=at, bid=bid, ask=ask))  # type: ignore[arg-type]
    for ms, price, size, *_, is_suspicious in rows(folder / f"{day}_trade.zip"):
        if is_suspicious == "0" and OPEN_MS <= int(ms) < until_ms:
            at = midnight + timedelta(milliseconds=int(ms))
            trades.append(
                Trade(**named, at=at, price=Decimal(price).scaleb(-4), size=Decimal(size))  # type: ignore
            )
    return quotes, trades


def shares(trades: list[Trade]) -> dict[str, float]:
    """Where the prints lie in the quote that stood, as shares of all."""
    places = Counter(
        "none"
        if trade.bid is None or trade.ask is None
        else "ask"
        if trade.price == trade.ask
        else "bid"
        if trade.price == trade.bid
        else "inside"
        if trade.bid < trade.price < trade.ask
        else "outside"
        for trade in trades
    )
    return {place: count / len(trades) for place, count in places.items()}


@pytest.mark.parametrize(
    ("symbol", "day", "until_ms"),
    [("ibm", "20131007", CLOSE_MS), ("ibm", "20131008", CLOSE_MS), ("bac", "20131008", HALF_PAST_TEN_MS)],
)
def test_recorded_prints_split_as_they_are_known_to(
    shared_data: Path, symbol: str, day: str, until_ms: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """IBM: about 35 % at the ask, 35 % at the bid, 30 % inside; BAC, a cent wide, nearly all at the touch."""
    quotes, trades = recorded(
        shared_data / "lean-equity-ticks-201310" / symbol, symbol.upper(), day, until_ms
    )
    signed = list(signed_trades(trades, quotes))
    split = shares(signed)
    by = Counter(str(trade.signed_by) for trade in signed)
    with capsys.disabled():
        shown = ", ".join(f"{place} {share:.1%}" for place, share in sorted(split.items()))
        ways = ", ".join(f"{way} {count / len(signed):.1%}" for way, count in sorted(by.items()))
        print(f"\n{symbol} {day}: {len(signed):,} prints: {shown}; signed by {ways}")
    assert len(signed) == len(trades) > 20_000
    if symbol == "ibm":
        assert abs(split["ask"] - 0.35) < 0.03
        assert abs(split["bid"] - 0.35) < 0.03
        assert abs(split["inside"] - 0.30) < 0.03
    else:
        assert split["ask"] + split["bid"] > 0.99
    unsigned = sum(1 for trade in signed if trade.aggressor is Aggressor.UNKNOWN)
    assert unsigned / len(signed) < 0.001


def test_a_tape_that_is_heard_signs_as_the_recorded_one_is_signed(shared_data: Path) -> None:
    """The same quotes and prints through the feed's texts: every print, signed alike (a shared morning)."""
    quotes, trades = recorded(shared_data / "lean-equity-ticks-201310" / "ibm", "IBM", "20131007", CLOSE_MS)
    first = trades[:6_000]
    tape = Tape("IBM", "STK:IBM", source=PrintSource.RT_VOLUME)
    waiting = iter(quotes)
    quote = next(waiting, None)
    total = Decimal(0)
    for trade in first:
        while quote is not None and quote.at <= trade.at:
            bid, ask = (None if price is None else float(price) for price in (quote.bid, quote.ask))
            tape.touch(bid, ask, quote.at)
            quote = next(waiting, None)
        total += trade.size
        tape.rt_volume(text(str(trade.price), str(trade.size), trade.at, str(total)), trade.at)
    heard = tape.flush()
    signed = list(signed_trades(first, quotes))
    assert [(t.at, t.price, t.size, t.aggressor, t.signed_by, t.bid, t.ask) for t in heard] == [
        (t.at, t.price, t.size, t.aggressor, t.signed_by, t.bid, t.ask) for t in signed
    ]
    assert tape.volume_missed == 0
    assert tape.told_again == 0
