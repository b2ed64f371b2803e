"""Books: by position as told, emptied where a change cannot be, by number where venues number them."""

import csv
import io
import json
import math
import random
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trading.market.book import (
    DELETE,
    INSERT,
    LEVELS_MAX,
    ROWS_MAX,
    UPDATE,
    DeltaOutcome,
    PositionBook,
    SequencedBook,
    synthetic_book,
)
from trading.model.market import DepthLevel, Quote

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
ASK, BID = 0, 1


def level(price: str, size: str, maker: str = "") -> DepthLevel:
    """A level of a book."""
    return DepthLevel(price=Decimal(price), size=Decimal(size), maker=maker)


@pytest.fixture
def book() -> PositionBook:
    """Two levels a side."""
    made = PositionBook("SPY", "STK:SPY", 756733)
    for side, prices in ((BID, (500.01, 500.0)), (ASK, (500.02, 500.03))):
        for position, price in enumerate(prices):
            assert made.change(position, "ARCA", INSERT, side, price, 100 * (position + 1), NOON)
    return made


def test_inserts_updates_and_deletes_move_what_stands_below(book: PositionBook) -> None:
    """Positions are those of the moment."""
    at = NOON + timedelta(seconds=1)
    assert book.change(0, "NSDQ", INSERT, BID, 500.015, 5, at)
    assert book.change(2, "ARCA", UPDATE, BID, 500.0, 7, at)
    assert book.change(0, "ARCA", DELETE, ASK, 0, 0, at)
    told = book.snapshot(10)
    assert told is not None
    assert told.bids == (level("500.015", "5"), level("500.01", "100"), level("500", "7"))
    assert told.asks == (level("500.03", "200"),)
    assert (told.at, told.conid, told.is_synthetic) == (at, 756733, False)
    assert not book.is_changed


def test_makers_at_one_price_are_one_level_and_the_best_come_first(book: PositionBook) -> None:
    """SMART depth tells venues apart; an imbalance wants prices. Rows without size are no level."""
    book.change(0, "NSDQ", INSERT, BID, 500.01, 50, NOON)
    book.change(3, "BATS", INSERT, BID, 500.01, 0.5, NOON)
    book.change(0, "EDGX", INSERT, ASK, 500.01, 0, NOON)
    told = book.snapshot(1)
    assert told is not None
    assert told.bids == (level("500.01", "150.5"),)
    assert told.asks == (level("500.02", "100"),)
    bids, asks = book.by_maker()
    assert [row.maker for row in bids] == ["NSDQ", "ARCA", "ARCA", "BATS"]
    assert asks[0] == level("500.01", "0", "EDGX")
    assert book.top() == (500.01, 500.02)


@pytest.mark.parametrize(
    ("position", "operation", "side", "price", "size"),
    [
        (2, UPDATE, BID, 500.0, 1),
        (2, DELETE, ASK, 0.0, 0),
        (3, INSERT, BID, 500.0, 1),
        (-1, INSERT, BID, 500.0, 1),
        (0, 3, BID, 500.0, 1),
        (0, INSERT, 2, 500.0, 1),
        (0, INSERT, BID, math.nan, 1),
        (0, UPDATE, BID, 500.0, -1),
        (0, UPDATE, BID, math.inf, 1),
        (0, INSERT, ASK, 0.0, 1),
    ],
)
def test_a_change_that_cannot_be_empties_the_book(
    book: PositionBook, position: int, operation: int, side: int, price: float, size: float
) -> None:
    """What was missed is not known, so nothing is told until the book is filled again."""
    assert not book.change(position, "", operation, side, price, size, NOON)
    assert book.is_empty
    assert book.snapshot(5) is None
    assert book.change(0, "", INSERT, BID, 500.0, 1, NOON)
    assert book.snapshot(5) is None
    assert book.change(0, "", INSERT, ASK, 500.01, 1, NOON)
    assert book.snapshot(5) is not None


def test_a_side_that_runs_empty_is_the_market_s_word(book: PositionBook) -> None:
    """Once both sides were there, one of them alone is told; a book without any is not."""
    assert book.snapshot(5) is not None
    for side in (ASK, ASK):
        book.change(0, "", DELETE, side, 0, 0, NOON)
    told = book.snapshot(5)
    assert told is not None
    assert (len(told.bids), told.asks) == (2, ())
    for side in (BID, BID):
        book.change(0, "", DELETE, side, 0, 0, NOON)
    assert book.snapshot(5) is None


def test_a_reset_empties_the_book(book: PositionBook) -> None:
    """317 says that the broker will tell all of it again."""
    book.reset()
    assert book.is_changed
    assert book.top() == (None, None)
    assert not book.is_crossed


def test_a_crossed_book_is_seen(book: PositionBook) -> None:
    """The best bid at the best ask or above it, wherever they stand."""
    assert not book.is_crossed
    book.change(1, "X", UPDATE, BID, 500.02, 1, NOON)
    assert book.is_crossed
    book.change(1, "X", UPDATE, BID, 500.025, 1, NOON)
    assert book.is_crossed
    book.change(1, "X", UPDATE, BID, 500.0, 1, NOON)
    assert not book.is_crossed


def test_a_book_says_since_when_it_is_crossed_as_it_was_told(book: PositionBook) -> None:
    """Between two changes of one move nothing is told; the time stands until it uncrosses or is reset."""
    later = NOON + timedelta(seconds=1)
    book.change(0, "X", UPDATE, BID, 500.03, 1, later)
    book.change(0, "X", UPDATE, ASK, 500.04, 1, later)
    book.change(1, "X", UPDATE, ASK, 500.05, 1, later)
    book.snapshot(10)
    assert book.crossed_since is None
    book.change(0, "X", UPDATE, ASK, 500.03, 1, later)
    book.snapshot(10)
    book.change(1, "X", UPDATE, BID, 500.02, 1, later + timedelta(seconds=5))
    book.snapshot(10)
    assert book.crossed_since == later
    book.reset()
    assert book.crossed_since is None


def test_a_side_has_a_bound() -> None:
    """What is pushed behind it is gone, the best stay."""
    book = PositionBook("SPY", "STK:SPY")
    book.change(0, "", INSERT, ASK, 1_000, 1, NOON)
    for number in range(ROWS_MAX + 10):
        assert book.change(0, "", INSERT, BID, 1.0 + number, 1, NOON)
    told = book.snapshot(1_000)
    assert told is not None
    assert len(told.bids) == ROWS_MAX
    assert told.bids[0].price == ROWS_MAX + 10


def test_any_run_of_possible_changes_gives_the_book_that_a_list_gives() -> None:
    """A thousand random operations against a plain list of the same."""
    chance = random.Random(5)
    book = PositionBook("SPY", "STK:SPY")
    plain: dict[int, list[tuple[float, float]]] = {BID: [], ASK: []}
    for _ in range(1_000):
        side = chance.choice((BID, ASK))
        rows = plain[side]
        operation = (
            chance.choice((INSERT, UPDATE, DELETE)) if 0 < len(rows) < 20 else INSERT if not rows else DELETE
        )
        position = chance.randrange(len(rows) + (operation == INSERT))
        price, size = float(chance.randint(1, 30)), float(chance.randint(0, 9))
        assert book.change(position, "", operation, side, price, size, NOON)
        if operation == INSERT:
            rows.insert(position, (price, size))
        elif operation == UPDATE:
            rows[position] = (price, size)
        else:
            rows.pop(position)
    bids, asks = book.by_maker()
    for told, side in ((bids, BID), (asks, ASK)):
        assert [(float(row.price), float(row.size)) for row in told] == plain[side]


def test_a_synthetic_book_is_the_quote_and_says_so() -> None:
    """One level a side; a side without price or size is empty, and no side is no book."""
    quote = Quote(
        symbol="AAPL",
        instrument_id="STK:AAPL",
        at=NOON,
        bid=Decimal("100.5"),
        ask=Decimal("100.6"),
        bid_size=Decimal(3),
        ask_size=None,
    )
    told = synthetic_book(quote)
    assert told is not None
    assert told.is_synthetic
    assert (told.bids, told.asks) == ((level("100.5", "3"),), ())
    nothing = Quote(symbol="AAPL", instrument_id="STK:AAPL", at=NOON, bid=None, ask=None)
    assert synthetic_book(nothing) is None


# numbered deltas, on recorded ones


def bybit(shared_data: Path) -> list[Mapping[str, Any]]:
    """The messages: a snapshot, then deltas."""
    with zipfile.ZipFile(shared_data / "order-book" / "bybit_xrpusdt_ob500.data.zip") as archive:
        return [json.loads(line) for line in archive.read(archive.namelist()[0]).splitlines()]


def sides(data: Mapping[str, Any]) -> Iterator[list[tuple[Decimal, Decimal]]]:
    """Bids and asks of a message."""
    for side in ("b", "a"):
        yield [(Decimal(price), Decimal(size)) for price, size in data[side]]


def moment(milliseconds: int) -> datetime:
    """A time of the file."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def heard(book: SequencedBook, message: Mapping[str, Any]) -> DeltaOutcome | None:
    """Give the book one message."""
    data = message["data"]
    bids, asks = sides(data)
    if message["type"] == "snapshot":
        book.begin(data["u"], bids, asks, moment(message["ts"]))
        return None
    return book.apply(data["u"], data["u"], bids, asks, moment(message["ts"]))


def test_a_recorded_snapshot_and_its_deltas_give_the_book(shared_data: Path) -> None:
    """Bybit: after each of 49 deltas the levels equal a plain dictionary's, and the book is never crossed."""
    messages = bybit(shared_data)
    book = SequencedBook("XRPUSDT", "XRPUSDT")
    plain: list[dict[str, str]] = [{}, {}]
    for message in messages:
        assert heard(book, message) in (None, DeltaOutcome.APPLIED)
        if message["type"] == "snapshot":
            plain = [{}, {}]
        for levels, changes in zip(plain, (message["data"]["b"], message["data"]["a"]), strict=True):
            levels.update(dict(changes))
            for price in [price for price, size in levels.items() if not float(size)]:
                del levels[price]
        told = book.snapshot(LEVELS_MAX)
        assert told is not None
        assert {level.price: level.size for level in told.bids} == decimals(plain[0])
        assert {level.price: level.size for level in told.asks} == decimals(plain[1])
        assert [level.price for level in told.bids] == sorted(decimals(plain[0]), reverse=True)
        assert not book.is_crossed
    assert book.gaps == 0
    assert book.at == moment(messages[-1]["ts"])


def decimals(levels: Mapping[str, str]) -> dict[Decimal, Decimal]:
    """Prices and sizes as numbers."""
    return {Decimal(price): Decimal(size) for price, size in levels.items()}


def test_a_recorded_delta_that_is_missing_withholds_the_book_until_a_snapshot(shared_data: Path) -> None:
    """The gap is seen at the next delta; what follows waits; a delta told again is old."""
    first, *deltas = bybit(shared_data)
    book = SequencedBook("XRPUSDT", "XRPUSDT")
    assert heard(book, deltas[0]) is DeltaOutcome.WAITING
    heard(book, first)
    assert heard(book, deltas[0]) is DeltaOutcome.APPLIED
    assert heard(book, deltas[0]) is DeltaOutcome.OLD
    assert heard(book, deltas[2]) is DeltaOutcome.GAP
    assert book.snapshot(5) is None
    assert book.gaps == 1
    assert heard(book, deltas[3]) is DeltaOutcome.WAITING
    heard(book, first)
    assert book.snapshot(5) is not None


def binance(shared_data: Path, name: str) -> list[dict[str, str]]:
    """Rows of a file: one level each, all of one message."""
    text = (shared_data / "order-book" / f"binance_btcusdt-depth-{name}.csv").read_text()
    return list(csv.DictReader(io.StringIO(text)))


def test_updates_that_say_whom_they_follow_are_held_to_it(shared_data: Path) -> None:
    """Binance futures: `pu` is the number before; the recorded update is far behind the snapshot: a gap."""
    snapshot, update = binance(shared_data, "snap"), binance(shared_data, "update")
    levels = {
        side: [(Decimal(row["price"]), Decimal(row["qty"])) for row in snapshot if row["side"] == side]
        for side in "ba"
    }
    changes = {
        side: [(Decimal(row["price"]), Decimal(row["qty"])) for row in update if row["side"] == side]
        for side in "ba"
    }
    first, last, before = (int(update[0][name]) for name in ("first_update_id", "last_update_id", "pu"))
    at = moment(int(update[0]["timestamp"]))
    book = SequencedBook("BTCUSDT", "BTCUSDT")
    book.begin(int(snapshot[0]["last_update_id"]), levels["b"], levels["a"], at)
    assert book.apply(first, last, changes["b"], changes["a"], at, before=before) is DeltaOutcome.GAP
    book.begin(before, levels["b"], levels["a"], at)
    assert book.apply(first, last, changes["b"], changes["a"], at, before=before) is DeltaOutcome.APPLIED
    told = book.snapshot(LEVELS_MAX)
    assert told is not None
    expected = dict(levels["a"]) | dict(changes["a"])
    assert {level.price: level.size for level in told.asks} == {p: s for p, s in expected.items() if s}
    assert book.last == last


def test_a_first_delta_may_begin_before_the_snapshot() -> None:
    """It holds the snapshot's number: Binance's rule for the first one."""
    book = SequencedBook("X", "X")
    book.begin(100, [(Decimal(1), Decimal(1))], [], NOON)
    assert book.apply(95, 105, [(Decimal(1), Decimal(2))], [], NOON, before=94) is DeltaOutcome.APPLIED
    assert book.apply(106, 110, [], [], NOON, before=105) is DeltaOutcome.APPLIED
    assert book.apply(112, 113, [], [], NOON, before=111) is DeltaOutcome.GAP


def test_a_numbered_book_has_a_bound_and_is_never_crossed_unseen() -> None:
    """Too many levels are a venue that never takes one away; locked is not crossed, nor is a lost book."""
    book = SequencedBook("X", "X")
    one, two = (Decimal(1), Decimal(5)), (Decimal(2), Decimal(5))
    book.begin(1, [one], [one], NOON)
    crossed = [book.is_crossed]
    assert book.apply(2, 2, [two], [], NOON) is DeltaOutcome.APPLIED
    crossed.append(book.is_crossed)
    assert book.apply(9, 9, [], [], NOON) is DeltaOutcome.GAP
    crossed.append(book.is_crossed)
    assert crossed == [False, True, False]
    most = [(Decimal(price), Decimal(1)) for price in range(1, LEVELS_MAX + 1)]
    book.begin(1, most, [], NOON)
    assert book.apply(2, 2, [one], [], NOON) is DeltaOutcome.APPLIED
    assert book.apply(3, 3, [(Decimal("0.5"), Decimal(1))], [], NOON) is DeltaOutcome.GAP
    assert book.snapshot(1) is None


def test_a_recorded_book_without_numbers_is_taken_as_it_is_told(shared_data: Path) -> None:
    """Tardis: rows of one time marked as snapshot are a new book; wide rows are each a whole one."""
    folder = shared_data / "order-book"
    text = (folder / "tardis_deribit_incremental_book_L2_BTC-PERPETUAL.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    book = SequencedBook("BTC", "BTC")
    asks = [(Decimal(row["price"]), Decimal(row["amount"])) for row in rows if row["side"] == "ask"]
    book.begin(0, [], asks, NOON)
    told = book.snapshot(3)
    assert told is not None
    assert [level.price for level in told.asks] == sorted(Decimal(row["price"]) for row in rows)[:3]
    wide = (folder / "tardis_binance-futures_book_snapshot_25_BTCUSDT.csv").read_text()
    for number, row in enumerate(csv.DictReader(io.StringIO(wide))):
        pairs = {
            side: [
                (Decimal(row[f"{side}[{place}].price"]), Decimal(row[f"{side}[{place}].amount"]))
                for place in range(25)
            ]
            for side in ("bids", "asks")
        }
        book.begin(number, pairs["bids"], pairs["asks"], NOON)
        told = book.snapshot(25)
        assert told is not None
        assert [(level.price, level.size) for level in told.bids] == pairs["bids"]
        assert [(level.price, level.size) for level in told.asks] == pairs["asks"]
        assert not book.is_crossed
