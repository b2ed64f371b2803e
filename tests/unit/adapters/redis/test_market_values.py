"""Rows as JSON: what was written is read, by newer writers too, and nothing else is read as a row."""

import json
import random
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from adapters.redis.columns import ROWS_MAX
from adapters.redis.json_texts import FAULTS
from adapters.redis.market_values import (
    BLOCK_BYTES_MAX,
    block_of,
    block_text,
    chain_of,
    chain_texts,
    greeks_texts,
    row_of,
    row_text,
    row_texts,
    rows_of,
)
from trading.errors import InvalidFieldError
from trading.model.instruments import Option, Right
from trading.model.market import (
    ROW_TYPES,
    Bar,
    ChainContract,
    ChainSnapshot,
    DepthLevel,
    DepthSnapshot,
    GreeksSource,
    MarketBlock,
    MarketKind,
    NewsItem,
    OptionGreeks,
    Quote,
    RefusedRow,
    TickerSentiment,
)
from trading.ports.feed_health import FeedHealth, FeedState

NOON = datetime(2026, 11, 13, 17, 0, 0, 123456, tzinfo=UTC)
SEED = 11


def quote(number: int = 1, **changed: Any) -> Quote:
    """A quote."""
    made = Quote(
        symbol="SPY",
        instrument_id="STK:SPY",
        at=NOON + timedelta(milliseconds=number),
        bid=Decimal(number) / 100,
        ask=Decimal("1E+2"),
        bid_size=Decimal("0.000000000001"),
    )
    return replace(made, **changed)


def contract(strike: int, delta: float | None) -> ChainContract:
    """A contract, without greeks where there is no delta."""
    greeks = OptionGreeks(at=NOON, source=GreeksSource.OWN, implied_volatility=0.1, delta=delta)
    option = Option(symbol="SPX", expiry=date(2026, 11, 20), right=Right.PUT, strike=Decimal(strike))
    return ChainContract(
        option=replace(option, trading_class="SPXW", conid=strike),
        at=NOON,
        greeks=None if delta is None else greeks,
    )


def block(kind: MarketKind, *rows: Any) -> MarketBlock:
    """A block."""
    return MarketBlock(kind=kind, symbol="SPY", source="ibkr", heard_at=NOON, rows=rows)


BLOCKS = (
    block(MarketKind.QUOTE, quote(1), quote(2), quote(3, bid=None)),
    block(
        MarketKind.CHAIN,
        ChainSnapshot(
            symbol="SPX",
            at=NOON,
            source="av",
            spot=Decimal("5000.25"),
            contracts=(contract(5000, 0.5), contract(5010, None), contract(5020, -0.25)),
        ),
    ),
    block(
        MarketKind.DEPTH,
        DepthSnapshot(
            symbol="SPY",
            instrument_id="STK:SPY",
            at=NOON,
            bids=(DepthLevel(price=Decimal(1), size=Decimal(2), maker="X"),),
            asks=(),
        ),
    ),
    block(
        MarketKind.NEWS,
        NewsItem(
            item_id="1",
            published_at=NOON,
            title="t",
            url="u",
            publisher="p",
            score=0.5,
            label="l",
            topics=("a",),
            tickers=(TickerSentiment(symbol="SPY", score=1.0, relevance=0.5, label="x"),),
        ),
    ),
)


@pytest.mark.parametrize("told", BLOCKS, ids=lambda told: told.kind.value)
def test_a_block_reads_back_equal_and_prints_the_same_again(told: MarketBlock) -> None:
    """Numbers keep their value and have one form, so equal rows are equal bytes."""
    text = block_text(told)
    assert block_of(text) == told
    assert block_text(block_of(text)) == text


def test_numbers_are_strings_without_exponents_and_times_have_their_zone() -> None:
    """What a person, or another language, reads without a thought."""
    told = json.loads(row_text(quote(150)))
    assert (told["bid"], told["ask"], told["bid_size"]) == ("1.5", "100", "0.000000000001")
    assert told["ts"] == "2026-11-13T17:00:00.273456+00:00"
    assert told["v"] == 1
    assert "at" not in told


def test_what_all_rows_share_is_told_once_and_what_is_nowhere_not_at_all() -> None:
    """A block of quotes is a third of its rows as objects."""
    rows = [quote(number) for number in range(1, 501)]
    text = block_text(block(MarketKind.QUOTE, *rows))
    told = json.loads(text)
    assert told["same"]["instrument_id"] == "STK:SPY"
    assert set(told["columns"]) == {"at", "bid"}
    assert "volume" not in told["same"]
    assert 3 * len(text) < sum(map(len, row_texts(Quote, rows)))


@pytest.mark.parametrize(
    "row",
    [
        quote(bid=Decimal("NaN")),
        quote(bid=Decimal("Infinity")),
        quote(bid=Decimal("sNaN")),
        quote(bid=1.5),
        OptionGreeks(at=NOON, source=GreeksSource.OWN, implied_volatility=float("nan")),
    ],
)
def test_no_number_is_not_printed(row: Any) -> None:
    """It would come back as nothing, or as another."""
    with pytest.raises((InvalidFieldError, TypeError, ArithmeticError)):
        row_text(row)


def test_a_field_that_an_older_writer_did_not_know_has_its_default() -> None:
    """Blocks wait in a stream while a newer reader starts; none of them may be unreadable for it."""
    row = RefusedRow(symbol="SPY", feed="quote", at=NOON, field="bid", reason="r", payload="p")
    optional = [each.name for each in fields(RefusedRow) if each.default is not each.default_factory]
    older = json.loads(block_text(block(MarketKind.REFUSED, row)))
    live = json.loads(row_text(row))
    for name in optional:
        older["same"].pop(name, None)
        live.pop(name, None)
    assert block_of(orjson.dumps(older)).rows == (row,)
    assert row_of(RefusedRow, orjson.dumps(live)) == row
    health = FeedHealth(feed="q", symbol="SPY", source="x", state=FeedState.IDLE, said_at=NOON)
    bare = {key: value for key, value in json.loads(row_text(health)).items() if key != "rows"}
    assert row_of(FeedHealth, orjson.dumps(bare)) == health


def test_a_field_that_a_newer_writer_added_is_left_aside() -> None:
    """The other way round, while a deployment is half done."""
    told = json.loads(block_text(BLOCKS[0]))
    told["columns"]["new"] = [1, 2, 3]
    told["same"]["newer"] = None
    assert block_of(orjson.dumps(told)) == BLOCKS[0]


@pytest.mark.parametrize("missing", ["symbol", "kind", "rows", "ts", "same", "columns"])
def test_a_block_without_what_it_must_have_is_none(missing: str) -> None:
    """A default would be a guess."""
    told = json.loads(block_text(BLOCKS[0]))
    del told[missing]
    with pytest.raises(InvalidFieldError):
        block_of(orjson.dumps(told))


@pytest.mark.parametrize("count", [-1, ROWS_MAX + 1, 10**12, 10**400, "3", 2.5, None, True])
def test_a_text_does_not_say_how_much_memory_is_taken(count: Any) -> None:
    """A count that is none, or beyond what a table may have, is refused before anything is made."""
    told = json.loads(block_text(block(MarketKind.QUOTE, quote(1))))
    told["rows"] = count
    with pytest.raises(InvalidFieldError):
        block_of(json.dumps(told).encode())


def test_whatever_a_text_became_it_is_read_as_rows_or_refused() -> None:
    """Thousands of blocks with a value exchanged or a byte changed: no other error ever comes out."""
    chance = random.Random(SEED)
    strange: tuple[Any, ...] = (
        None,
        True,
        -1,
        10**30,
        1.5,
        "",
        "x",
        "NaN",
        "1e400",
        [],
        {},
        [None],
        {"rows": 1},
        "2026-13-01",
    )
    refused = 0
    for turn in range(4_000):
        told = block_text(chance.choice(BLOCKS))
        if turn % 2:
            document = json.loads(told)
            _exchange(document, chance, strange)
            text = json.dumps(document).encode()
        else:
            place = chance.randrange(len(told))
            text = told[:place] + bytes([chance.randrange(256)]) + told[place + chance.randrange(3) :]
        try:
            assert isinstance(block_of(text), MarketBlock)
        except InvalidFieldError:
            refused += 1
    assert 1_000 < refused < 4_000


def _exchange(document: Any, chance: random.Random, strange: tuple[Any, ...]) -> None:
    """Put something strange at a random place, however deep."""
    while True:
        places = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not places:
            return
        place = chance.choice(places)
        inner = document[place]
        if isinstance(inner, dict | list) and inner and chance.random() < 0.8:
            document = inner
            continue
        document[place] = chance.choice(strange)
        return


def test_a_chain_is_a_head_with_counts_its_calls_and_its_puts() -> None:
    """Where one of the three is gone there is no chain, which is not an empty one."""
    call = replace(contract(5000, 0.5), option=replace(contract(5000, 0.5).option, right=Right.CALL))
    chain = ChainSnapshot(
        symbol="SPX", at=NOON, source="av", spot=None, contracts=(call, contract(5000, None))
    )
    texts = chain_texts(chain, {"contracts": 2})
    assert json.loads(texts.head)["counts"] == {"contracts": 2}
    assert chain_of(texts.head, texts.calls, texts.puts) == chain
    assert chain_of(texts.head, None, texts.puts) is None
    with pytest.raises(InvalidFieldError):
        chain_of(texts.head, b"[]", texts.puts)


def test_greeks_of_one_contract_are_an_object_of_their_own() -> None:
    """Floats as they are, the source, the time of the model."""
    (text,) = greeks_texts([contract(5000, 0.1 + 0.2)])
    told = json.loads(text)
    assert (told["delta"], told["source"], told["symbol"]) == (0.1 + 0.2, "own", "SPX")
    assert told["ts"] == NOON.isoformat()
    assert told["gamma"] is None


def test_a_block_has_a_bound_in_bytes() -> None:
    """What no stream should hold is refused by name."""
    row = RefusedRow(symbol="SPY", feed="q", at=NOON, field="f", reason="r", payload="x" * BLOCK_BYTES_MAX)
    with pytest.raises(InvalidFieldError, match="bytes"):
        block_text(block(MarketKind.REFUSED, row))


def test_rows_that_no_writer_of_ours_wrote_are_refused() -> None:
    """As objects, too."""
    for text in (b"", b"1", b"[]", b"{}", b'{"symbol":1}', row_text(quote()).replace(b"STK", b"\xff")):
        with pytest.raises(InvalidFieldError):
            rows_of(Quote, [text])
    price = Decimal(1)
    bar = Bar(
        symbol="a", instrument_id="b", at=NOON, seconds=60, open=price, high=price, low=price, close=price
    )
    with pytest.raises(InvalidFieldError):
        rows_of(Bar, [row_text(bar).replace(b'"open":"1"', b'"open":1')])


def test_every_kind_has_its_type_and_every_fault_is_named() -> None:
    """A kind that is added is on its way at once."""
    assert set(ROW_TYPES) == set(MarketKind)
    assert issubclass(OverflowError, FAULTS)
