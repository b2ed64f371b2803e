"""Level 1: one quote for each line that changed, nothing that no market says, states that end."""

import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from trading.market.quote_board import REFUSED_PER_FLUSH_MAX, QuoteBoard
from trading.model.market import TradingState

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
BID, ASK, LAST = 1, 2, 4
BID_SIZE, ASK_SIZE, LAST_SIZE, VOLUME = 0, 3, 5, 8
HALTED = 49


def later(seconds: float) -> datetime:
    """A moment of the day."""
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def board() -> QuoteBoard:
    """A share on line 1 and an option on line 2."""
    made = QuoteBoard()
    made.open_line(1, "SPY", "STK:SPY", conid=756733)
    made.open_line(2, "SPY", "OPT:SPY   261120C00500000", is_option=True)
    return made


def quoted(board: QuoteBoard, bid: float = 500.01, ask: float = 500.02, line: int = 1) -> None:
    """Both sides of a line."""
    board.price(line, BID, bid, 3, NOON)
    board.price(line, ASK, ask, 4, NOON)


def states(board: QuoteBoard) -> list[TradingState]:
    """What states a flush tells."""
    return [change.state for change in board.flush().states]


def test_many_ticks_are_one_quote_with_all_fields_as_they_stand(board: QuoteBoard) -> None:
    """Fields that were told before stay; the quote's time is that of its newest tick."""
    quoted(board)
    board.price(1, LAST, 500.015, 100, later(1))
    board.size(1, VOLUME, 12_345, later(2))
    board.price(1, BID, 500.005, 7, later(3))
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.bid_size) == (Decimal("500.005"), Decimal(7))
    assert (quote.ask, quote.ask_size) == (Decimal("500.02"), Decimal(4))
    assert (quote.last, quote.last_size, quote.volume) == (Decimal("500.015"), Decimal(100), Decimal(12_345))
    assert (quote.at, quote.conid) == (later(3), 756733)
    board.size(1, ASK_SIZE, 9, later(4))
    (quote,) = board.flush().quotes
    assert (quote.ask_size, quote.bid, quote.at) == (Decimal(9), Decimal("500.005"), later(4))


def test_what_did_not_change_is_not_told(board: QuoteBoard) -> None:
    """The same tick again makes no row, but the line was heard."""
    quoted(board)
    board.flush()
    board.price(1, BID, 500.01, 3, later(5))
    board.size(1, ASK_SIZE, 4, later(6))
    assert board.flush().quotes == ()
    assert board.newest_at(1) == later(6)


def test_lines_are_told_in_the_order_in_which_they_changed(board: QuoteBoard) -> None:
    """Whatever their numbers are."""
    quoted(board, 1.05, 1.10, line=2)
    quoted(board)
    assert [quote.instrument_id for quote in board.flush().quotes] == [
        "OPT:SPY   261120C00500000",
        "STK:SPY",
    ]


def test_delayed_ticks_are_the_same_fields(board: QuoteBoard) -> None:
    """66 to 74 stand for 1 to 8."""
    board.price(1, 66, 500.01, 3, NOON)
    board.price(1, 67, 500.02, 4, NOON)
    board.price(1, 68, 500.0, 1, NOON)
    board.size(1, 74, 99, NOON)
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.ask, quote.last, quote.volume) == (
        Decimal("500.01"),
        Decimal("500.02"),
        Decimal(500),
        Decimal(99),
    )


@pytest.mark.parametrize(("price", "size"), [(-1.0, 0.0), (-1.0, 5.0), (0.0, 0.0)])
def test_no_bid_is_none_and_no_fault(board: QuoteBoard, price: float, size: float) -> None:
    """-1, or nothing at all, says that there is no bid: price and size are gone, the ask stays."""
    quoted(board)
    board.flush()
    board.price(1, BID, price, size, later(1))
    told = board.flush()
    assert (told.quotes[0].bid, told.quotes[0].bid_size) == (None, None)
    assert (told.quotes[0].ask, told.quotes[0].ask_size) == (Decimal("500.02"), Decimal(4))
    assert told.refused == ()
    board.price(1, BID, price, size, later(1))
    assert board.flush().quotes == ()
    board.size(1, BID_SIZE, 0, later(2))
    board.size(1, BID_SIZE, 5, later(2))
    assert board.flush().quotes == ()


@pytest.mark.parametrize(
    ("tick", "price", "size", "reason"),
    [
        (BID, math.nan, 3, "no price"),
        (BID, -0.5, 3, "no price"),
        (LAST, 500.0, math.nan, "no size"),
        (ASK, 500.0, -2.0, "no size"),
    ],
)
def test_what_no_market_says_changes_nothing_and_goes_to_the_dead_letter(
    board: QuoteBoard, tick: int, price: float, size: float, reason: str
) -> None:
    """The quote stands as it stood, the row names line, field, reason and what came, and is counted."""
    quoted(board)
    before = board.flush().quotes
    board.price(1, tick, price, size, later(1))
    told = board.flush()
    assert told.quotes == ()
    (row,) = told.refused
    assert (row.symbol, row.feed, row.reason, row.at) == ("SPY", "quote", reason, later(1))
    assert row.field.startswith("STK:SPY ")
    assert repr(price) in row.payload
    assert board.refused == board.refused_by[reason] == 1
    board.size(1, VOLUME, 1, later(2))
    assert board.flush().quotes[0].bid == before[0].bid


@pytest.mark.parametrize("size", [3.0, math.nan])
def test_a_price_of_zero_with_a_size_is_refused_and_the_price_before_it_is_gone(
    board: QuoteBoard, size: float
) -> None:
    """The venue takes its bid back in words that mean nothing: the old one must not look alive."""
    quoted(board)
    board.flush()
    board.price(1, BID, 0.0, size, later(1))
    told = board.flush()
    assert (told.quotes[0].bid, told.quotes[0].bid_size) == (None, None)
    assert [row.reason for row in told.refused] == ["zero price"]


def test_infinite_numbers_are_refused(board: QuoteBoard) -> None:
    """They would be a price that no decimal holds."""
    board.price(1, BID, math.inf, 3, NOON)
    board.price(1, ASK, 500.0, math.inf, NOON)
    board.size(1, VOLUME, math.inf, NOON)
    told = board.flush()
    assert len(told.refused) == 3
    assert told.quotes == ()


def test_a_flood_of_refused_ticks_is_counted_and_bounded(board: QuoteBoard) -> None:
    """Each flush tells so many at most; the count tells all."""
    for _ in range(REFUSED_PER_FLUSH_MAX + 5):
        board.size(1, VOLUME, math.nan, NOON)
    assert len(board.flush().refused) == REFUSED_PER_FLUSH_MAX
    assert board.refused == REFUSED_PER_FLUSH_MAX + 5


def test_a_crossed_and_a_locked_quote_stop_signals_and_end_by_themselves(board: QuoteBoard) -> None:
    """The quote is told as it came; its state says what it is, with both prices, and then open again."""
    quoted(board)
    assert states(board) == [TradingState.OPEN]
    board.price(1, BID, 500.03, 3, later(1))
    told = board.flush()
    assert [(change.state, change.reason) for change in told.states] == [
        (TradingState.CROSSED, "bid 500.03 ask 500.02")
    ]
    assert told.quotes[0].bid == Decimal("500.03")
    board.price(1, BID, 500.02, 3, later(2))
    assert states(board) == [TradingState.LOCKED]
    board.price(1, BID, 500.01, 3, later(3))
    assert states(board) == [TradingState.OPEN]


def test_a_move_told_in_two_messages_is_not_crossed(board: QuoteBoard) -> None:
    """Between bid and ask of one move the line looks crossed; nobody looks there."""
    quoted(board)
    board.flush()
    board.price(1, BID, 500.05, 3, later(1))
    board.price(1, ASK, 500.06, 3, later(1))
    assert states(board) == []


def test_a_halt_goes_before_all_and_only_its_own_tick_ends_it(board: QuoteBoard) -> None:
    """Quotes during a halt hide nothing."""
    quoted(board)
    board.flush()
    board.value(1, HALTED, 2.0, later(1))
    assert [(c.state, c.reason, c.at) for c in board.flush().states] == [
        (TradingState.HALTED, "volatility halt", later(1))
    ]
    quoted(board, 501, 502)
    assert states(board) == []
    board.value(1, HALTED, 0.0, later(3))
    assert states(board) == [TradingState.OPEN]


def test_a_general_halt_is_a_halt(board: QuoteBoard) -> None:
    """1 is the exchange's own, 2 the volatility's."""
    board.value(1, HALTED, 1.0, later(1))
    assert [(c.state, c.reason) for c in board.flush().states] == [(TradingState.HALTED, "halt")]


def test_that_there_is_no_bid_is_a_word_of_the_line(board: QuoteBoard) -> None:
    """It ends what was said from outside, and is the newest that was heard."""
    quoted(board)
    board.flush()
    board.price(1, BID, -1.0, 0, later(1))
    board.flush()
    board.mark(1, TradingState.STALE, "old", later(15))
    board.flush()
    board.price(1, BID, -1.0, 0, later(16))
    assert states(board) == [TradingState.OPEN]
    assert board.newest_at(1) == later(16)


def test_a_halt_that_is_not_known_is_none(board: QuoteBoard) -> None:
    """-1 is told where the broker does not know."""
    board.value(1, HALTED, -1.0, NOON)
    board.value(1, 24, 0.5, NOON)
    assert states(board) == [TradingState.OPEN]
    assert board.flush().quotes == ()


def test_an_option_tells_its_state_only_when_it_is_not_open(board: QuoteBoard) -> None:
    """Thousands of contracts that are open are no news."""
    quoted(board, 1.05, 1.10, line=2)
    assert states(board) == []
    quoted(board, 1.15, 1.10, line=2)
    assert states(board) == [TradingState.CROSSED]
    board.close_line(2)
    board.open_line(3, "SPY", "OPT:SPY   261120C00500000", is_option=True)
    quoted(board, 1.05, 1.10, line=3)
    assert states(board) == [TradingState.OPEN]
    assert not board._told


def test_a_mark_from_outside_ends_with_the_next_tick(board: QuoteBoard) -> None:
    """Stale is said by who looks at ages; any tick of the line, even of the same price, ends it."""
    quoted(board)
    board.flush()
    board.mark(1, TradingState.STALE, "nothing for 15 s", later(15))
    board.mark(1, TradingState.STALE, "nothing for 16 s", later(16))
    told = board.flush()
    assert [(c.state, c.reason, c.at) for c in told.states] == [
        (TradingState.STALE, "nothing for 15 s", later(15))
    ]
    assert told.quotes == ()
    assert board.newest_at(1) == NOON
    board.price(1, BID, 500.01, 3, later(20))
    told = board.flush()
    assert [(c.state, c.at) for c in told.states] == [(TradingState.OPEN, later(20))]
    assert told.quotes == ()
    board.mark(1, TradingState.CLOSED, "the session is over", later(30))
    board.mark(1, None, "", later(31))
    assert states(board) == []


def test_a_line_that_is_asked_for_again_knows_nothing_but_its_state(board: QuoteBoard) -> None:
    """Old prices do not stand behind a new line; a state that was told is not told again."""
    quoted(board)
    board.flush()
    board.close_line(1)
    board.open_line(9, "SPY", "STK:SPY")
    assert board.standing(9) == (None, None)
    board.price(9, ASK, 500.5, 1, later(1))
    told = board.flush()
    assert told.quotes[0].bid is None
    assert told.states == ()


def test_ticks_of_lines_that_are_not_open_are_counted(board: QuoteBoard) -> None:
    """They come after a cancel, and are nobody's."""
    board.close_line(1)
    quoted(board)
    board.size(1, VOLUME, 5, NOON)
    board.value(1, HALTED, 1.0, NOON)
    assert board.flush().quotes == ()
    assert board.unknown == 3


def test_whoever_signs_prints_hears_each_change_of_the_touch() -> None:
    """Bid and ask as they stand after each change of a price; sizes and the last price are none."""
    heard: list[tuple[float | None, float | None]] = []
    board = QuoteBoard()
    board.open_line(1, "SPY", "STK:SPY", touch=lambda bid, ask, at: heard.append((bid, ask)))
    quoted(board)
    board.price(1, BID, 500.01, 9, NOON)
    board.price(1, LAST, 500.01, 9, NOON)
    board.price(1, LAST, -1.0, 0, NOON)
    board.price(1, ASK, -1.0, 0, NOON)
    assert heard == [(500.01, None), (500.01, 500.02), (500.01, None)]


def test_bid_and_ask_told_together_are_level_1_too(board: QuoteBoard) -> None:
    """Tick-by-tick touches have both sides and their sizes."""
    board.touch(1, 500.01, 500.02, (1, 2), NOON)
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (
        Decimal("500.01"),
        Decimal("500.02"),
        Decimal(1),
        Decimal(2),
    )


def test_while_touches_are_told_tick_by_tick_level_1_says_neither_bid_nor_ask(board: QuoteBoard) -> None:
    """It is sampled: its older bid must not come after the newer one. Last and volume are its own."""
    board.touch(1, 500.01, 500.02, (1, 2), NOON)
    quoted(board, 499.0, 499.01)
    board.size(1, BID_SIZE, 77, later(1))
    board.price(1, LAST, 500.0, 5, later(1))
    board.size(1, VOLUME, 1_000, later(1))
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.ask, quote.bid_size) == (Decimal("500.01"), Decimal("500.02"), Decimal(1))
    assert (quote.last, quote.volume) == (Decimal(500), Decimal(1_000))
    board.touch(1, 500.03, 500.04, (1, 2), later(1))
    board.price(1, BID, 499.5, 3, later(2.9))
    assert board.flush().quotes[0].bid == Decimal("500.03")
    board.price(1, BID, 499.5, 3, later(3))
    board.size(1, ASK_SIZE, 9, later(3))
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.ask_size) == (Decimal("499.5"), Decimal(9))
    board.touch(8, 1.0, 2.0, (1, 1), NOON)
    assert board.unknown == 2


def test_a_recorded_feed_is_told_as_it_stood_at_each_second(shared_data: Path) -> None:
    """14,027 real ticks, flushed each second: the quotes equal a plain reading of the ticks' last values."""
    with gzip.open(shared_data / "ibkr-ticks" / "tick_data.json.gz") as file:
        ticks = json.load(file)
    board = QuoteBoard()
    board.open_line(1, "HK", "STK:HK")
    plain: dict[int, float] = {}
    sizes = {1: 0, 2: 3, 4: 5}
    flushes = 0
    for tick in ticks:
        kind, at = tick["tickType"], datetime.fromisoformat(tick["time"])
        if kind in sizes:
            plain[kind], plain[sizes[kind]] = tick["price"], tick["size"]
            board.price(1, kind, tick["price"], tick["size"], at)
        else:
            if kind == VOLUME or {size: price for price, size in sizes.items()}[kind] in plain:
                plain[kind] = tick["size"]
            board.size(1, kind, tick["size"], at)
        told = board.flush().quotes
        flushes += len(told)
        if told:
            quote = told[0]
            shown = (quote.bid, quote.ask, quote.last, quote.bid_size, quote.ask_size, quote.volume)
            read = tuple(plain.get(field) for field in (1, 2, 4, 0, 3, 8))
            assert tuple(None if value is None else float(value) for value in shown) == read
    assert board.refused == 0
    assert 9_000 < flushes < len(ticks)


def test_a_line_of_which_all_is_gone_is_told_as_empty_and_one_that_never_had_anything_is_not(
    board: QuoteBoard,
) -> None:
    """Else the last bid would stand for ever; nobody quotes a contract far away that has not traded."""
    board.price(2, BID, -1, 0, NOON)
    board.price(2, ASK, -1, 0, NOON)
    assert board.flush().quotes == ()
    board.price(2, BID, 0.05, 1, later(1))
    assert [quote.bid for quote in board.flush().quotes] == [Decimal("0.05")]
    board.price(2, BID, -1, 0, later(2))
    (quote,) = board.flush().quotes
    assert (quote.bid, quote.bid_size, quote.ask, quote.at) == (None, None, None, later(2))
    board.price(2, BID, -1, 0, later(3))
    assert board.flush().quotes == ()
