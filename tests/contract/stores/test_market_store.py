"""Every promise of the market store, on the one in memory and on the warehouse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import pytest
from market_samples import (
    HEARD,
    OPEN,
    SAMPLES,
    SESSION,
    after,
    article,
    bar,
    chain,
    entry,
    quote,
    sample_entries,
    technical,
    trade,
)

from adapters.clickhouse import market_loads
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.memory.market_store import MemoryMarketStore
from trading.model.market import ChainSnapshot, MarketKind, RefusedRow
from trading.ports.market_store import LoadReport, MarketStore
from trading.ports.outbox import UnreadableEntry

VIEWS = {
    MarketKind.QUOTE: "quotes",
    MarketKind.TRADE: "trades",
    MarketKind.BAR: "bars",
    MarketKind.DEPTH: "depth",
    MarketKind.CHAIN: "chains",
    MarketKind.STATE: "instrument_states",
    MarketKind.VOLATILITY: "volatility",
    MarketKind.NEWS: "news",
    MarketKind.SENTIMENT: "sentiment",
    MarketKind.TECHNICAL: "technicals",
}
FIGURES = {  # what tells two rows of a kind apart, in the warehouse
    MarketKind.QUOTE: "at, bid",
    MarketKind.TRADE: "at, price",
    MarketKind.BAR: "at, close",
    MarketKind.NEWS: "item_id, score",
    MarketKind.TECHNICAL: "at, figures['RSI']",
    MarketKind.CHAIN: "at, instrument_id",
}
READ = {  # and in memory
    MarketKind.QUOTE: lambda row: (row.at, row.bid),
    MarketKind.TRADE: lambda row: (row.at, row.price),
    MarketKind.BAR: lambda row: (row.at, row.close),
    MarketKind.NEWS: lambda row: (row.item_id, row.score),
    MarketKind.TECHNICAL: lambda row: (row.at, row.values["RSI"]),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A store, and a look at what it holds: (source, session, figures) by kind, and how many letters."""

    store: MarketStore
    stored: Callable[[MarketKind], list[tuple[object, ...]]]
    letters: Callable[[], int]


def memory_bench() -> Bench:
    """In memory."""
    store = MemoryMarketStore()

    def stored(kind: MarketKind) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        for told in store.rows(kind):
            rows: Sequence[tuple[object, ...]]
            if isinstance(told.row, ChainSnapshot):
                rows = [(told.row.at, one.option.instrument_id) for one in told.row.contracts]
            else:
                rows = [READ[kind](told.row)] if kind in READ else [()]
            found += [(told.source, told.session, *row) for row in rows]
        return sorted(found, key=in_order)

    return Bench(store, stored, lambda: len(store.letters))


def warehouse_bench(client: Warehouse) -> Bench:
    """On a server."""
    store = ClickHouseMarketStore(client, now=lambda: HEARD)

    def stored(kind: MarketKind) -> list[tuple[object, ...]]:
        figures = f", {FIGURES[kind]}" if kind in FIGURES else ""
        rows = client.rows(f"select source, session{figures} from core.{VIEWS[kind]}")
        return sorted((tuple(row.values()) for row in rows), key=in_order)

    def letters() -> int:
        return int(client.value("select count() from audit.rejected_rows final where source = 'market'"))

    return Bench(store, stored, letters)


@pytest.fixture(params=["memory", "clickhouse"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Each implementation in turn."""
    if request.param == "memory":
        return memory_bench()
    return warehouse_bench(request.getfixturevalue("warehouse"))


def in_order(row: tuple[object, ...]) -> tuple[str, ...]:
    """Times print in their order."""
    return tuple(map(str, row))


def counts(reports: Sequence[LoadReport]) -> dict[str, tuple[int, int, int]]:
    """New, repeated and refused rows by kind."""
    return {str(report.kind): (report.new, report.repeated, report.refused) for report in reports}


def test_a_row_of_each_kind_is_stored_with_its_source_and_session(bench: Bench) -> None:
    """One entry of each kind is one row, a chain one for each contract."""
    told = counts(bench.store.record(sample_entries(), (), is_repeat=False))
    assert set(told) == {str(kind) for kind in SAMPLES}
    assert {kind: new for kind, (new, _, _) in told.items() if kind != "chain"} == dict.fromkeys(
        (str(kind) for kind in SAMPLES if kind is not MarketKind.CHAIN), 1
    )
    assert told["chain"] == (6, 0, 0)
    for kind in SAMPLES:
        assert {row[:2] for row in bench.stored(kind)} == {("ibkr", SESSION)}


HAS_KEY = (MarketKind.BAR, MarketKind.NEWS, MarketKind.TECHNICAL)  # told again by another entry: the same row


def test_entries_that_come_again_add_nothing(bench: Bench) -> None:
    """As a repeat, twice, and beside entries that are new: each row is there once, of every kind."""
    first = sample_entries()
    second = [entry(one.block.kind, *one.block.rows, number=100 + one.sequence) for one in first]
    bench.store.record(first, (), is_repeat=False)
    once = {kind: bench.stored(kind) for kind in SAMPLES}
    bench.store.record(first, (), is_repeat=True)
    assert {kind: bench.stored(kind) for kind in SAMPLES} == once
    for _ in range(2):
        bench.store.record([*first, *second], (), is_repeat=True)
    for kind, rows in once.items():
        assert len(bench.stored(kind)) == len(rows) * (1 if kind in HAS_KEY else 2), kind


def test_a_repeat_is_counted_as_one(bench: Bench) -> None:
    """What was there already is told apart from what was missing."""
    entries = [entry(MarketKind.QUOTE, quote(n), quote(n, "1"), number=n) for n in range(1, 5)]
    bench.store.record(entries[:2], (), is_repeat=False)
    told = counts(bench.store.record(entries, (), is_repeat=True))
    assert told == {"quote": (4, 4, 0)}
    assert len(bench.stored(MarketKind.QUOTE)) == 8


def test_an_entry_of_which_a_part_is_there_is_completed(bench: Bench) -> None:
    """A kill between two parts of an insert leaves some rows of an entry: the others are added."""
    rows = [quote(n, str(500 + n)) for n in range(6)]
    whole = entry(MarketKind.QUOTE, *rows)
    bench.store.record(
        [replace(whole, block=replace(whole.block, rows=tuple(rows[:2])))], (), is_repeat=False
    )
    told = counts(bench.store.record([whole], (), is_repeat=True))
    assert told == {"quote": (4, 2, 0)}
    assert [row[-1] for row in bench.stored(MarketKind.QUOTE)] == [500 + n for n in range(6)]


def test_two_writers_with_the_same_entries_store_each_once(bench: Bench) -> None:
    """A drain that was paused and the one that took its entries over both store them, in other batches."""
    first = sample_entries()
    second = [entry(one.block.kind, *one.block.rows, number=100 + one.sequence) for one in first]
    bench.store.record(first, (), is_repeat=False)
    once = {kind: bench.stored(kind) for kind in SAMPLES}
    bench.store.record([*first, *second], (), is_repeat=False)
    for kind, rows in once.items():
        assert len(bench.stored(kind)) == len(rows) * (1 if kind in HAS_KEY else 2), kind


def test_a_bar_that_is_told_again_is_replaced(bench: Bench) -> None:
    """A late part of a minute makes the same bar again; an older telling that comes later changes nothing."""
    old = entry(MarketKind.BAR, bar(close="600.5"), number=1)
    new = entry(MarketKind.BAR, bar(close="600.75"), number=2)
    bench.store.record([old], (), is_repeat=False)
    bench.store.record([new], (), is_repeat=False)
    assert [row[-1] for row in bench.stored(MarketKind.BAR)] == [Decimal("600.75")]


def test_an_article_and_an_indicator_are_what_was_told_last(bench: Bench) -> None:
    """Vendors tell them with each answer."""
    for number, figure in enumerate((0.25, -0.5), start=1):
        bench.store.record(
            [
                entry(MarketKind.NEWS, article(score=figure), number=number),
                entry(MarketKind.TECHNICAL, technical(figure=figure), number=number),
            ],
            (),
            is_repeat=False,
        )
    assert [row[-1] for row in bench.stored(MarketKind.NEWS)] == [-0.5]
    assert [row[-1] for row in bench.stored(MarketKind.TECHNICAL)] == [-0.5]


def test_a_row_that_no_column_holds_goes_to_the_dead_letter_alone(warehouse: Warehouse) -> None:
    """A price with more places than the column has is never rounded, and costs no other row."""
    bench = warehouse_bench(warehouse)
    rows = [quote(n) for n in range(40)]
    rows[17] = quote(17, bid="1.000000000001")
    told = counts(bench.store.record([entry(MarketKind.QUOTE, *rows)], (), is_repeat=False))
    assert told == {"quote": (39, 0, 1)}
    assert (len(bench.stored(MarketKind.QUOTE)), bench.letters()) == (39, 1)
    bench.store.record([entry(MarketKind.QUOTE, *rows)], (), is_repeat=True)
    assert (len(bench.stored(MarketKind.QUOTE)), bench.letters()) == (39, 1)


def test_what_was_refused_before_is_in_the_dead_letter_once(bench: Bench) -> None:
    """Refused rows and unreadable entries are letters; equal ones of different places are two."""
    row = RefusedRow(symbol="SPY", feed="quotes", at=OPEN, field="bid", reason="was NaN", payload="{}")
    bad = UnreadableEntry(
        stream="outbox:market:{SPY}", entry_id="5-0", epoch="e", sequence=5, text="?", reason="no JSON"
    )
    for is_repeat in (False, True):
        told = counts(bench.store.record([entry(MarketKind.REFUSED, row, row)], [bad], is_repeat=is_repeat))
        assert told == {"refused": (0, 0, 2)}
    assert bench.letters() == 3


def test_a_load_is_stored_once_however_often(bench: Bench) -> None:
    """The same rows again move nothing, in any order; equal rows of one load are kept apart."""
    rows = [quote(n / 10) for n in range(300)] + [quote(3), quote(3)]
    first = bench.store.load(MarketKind.QUOTE, SESSION, "lean", iter(rows))
    assert (first.total, first.new, first.repeated, first.refused) == (302, 302, 0, 0)
    assert (first.oldest_at, first.newest_at) == (OPEN, after(29.9))
    again = bench.store.load(MarketKind.QUOTE, SESSION, "lean", reversed(rows))
    assert (again.total, again.new, again.repeated) == (302, 0, 302)
    assert len(bench.stored(MarketKind.QUOTE)) == 302


def test_a_load_replaces_what_the_source_said_of_the_session(bench: Bench) -> None:
    """What it does not tell any more is gone; another source, session or kind and the live rows stay."""
    other_day = date(2026, 11, 16)
    bench.store.record([entry(MarketKind.QUOTE, quote(1))], (), is_repeat=False)
    bench.store.load(MarketKind.QUOTE, SESSION, "tape", [quote(5)])
    bench.store.load(MarketKind.QUOTE, other_day, "lean", [quote(3 * 86_400)])
    bench.store.load(MarketKind.TRADE, SESSION, "lean", [trade(5)])
    bench.store.load(MarketKind.QUOTE, SESSION, "lean", [quote(n) for n in range(10)])
    told = bench.store.load(MarketKind.QUOTE, SESSION, "lean", [quote(n) for n in range(5, 12)])
    assert (told.new, told.repeated) == (2, 5)
    found = [row[:2] for row in bench.stored(MarketKind.QUOTE)]
    assert found == [("ibkr", SESSION), *[("lean", SESSION)] * 7, ("lean", other_day), ("tape", SESSION)]
    assert len(bench.stored(MarketKind.TRADE)) == 1


def test_every_kind_can_be_loaded_replaced_and_taken_away(bench: Bench) -> None:
    """An empty load says that there is nothing."""
    for kind, row in SAMPLES.items():
        for source in ("lean", "tape"):
            assert bench.store.load(kind, SESSION, source, [row]).new > 0
            assert bench.store.load(kind, SESSION, source, [row]).new == 0
        both = len(bench.stored(kind))
        bench.store.load(kind, SESSION, "lean", [])
        assert len(bench.stored(kind)) == both // 2
        assert {told[0] for told in bench.stored(kind)} == {"tape"}


def test_a_row_of_another_session_is_refused_by_name(bench: Bench) -> None:
    """A load of a session holds nothing outside it; the rows around are stored."""
    rows = [quote(0), quote(86_400 * 3), quote(5)]
    told = bench.store.load(MarketKind.QUOTE, SESSION, "lean", rows)
    assert (told.total, told.new, told.refused, bench.letters()) == (3, 2, 1, 1)
    bench.store.load(MarketKind.QUOTE, SESSION, "lean", rows)
    assert bench.letters() == 1


def test_rows_that_a_source_refused_are_letters_of_the_load(bench: Bench) -> None:
    """A file's unreadable line comes as a refused row among the others."""
    bad = RefusedRow(symbol="SPY", feed="lean", at=OPEN, field="price", reason="was empty", payload="a,b")
    told = bench.store.load(MarketKind.TRADE, SESSION, "lean", [trade(1), bad, trade(2), bad])
    assert (told.total, told.new, told.refused, bench.letters()) == (4, 2, 2, 2)


def test_a_load_of_several_parts_is_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sent in parts of bounded size; equal refusals in different parts stay apart."""
    monkeypatch.setattr(market_loads, "ROWS_PER_PART", 7)
    bad = RefusedRow(symbol="SPY", feed="lean", at=OPEN, field="price", reason="was empty", payload="a,b")
    rows = [row for n in range(30) for row in (quote(n), bad)]
    for new in (30, 0):
        told = bench.store.load(MarketKind.QUOTE, SESSION, "lean", iter(rows))
        assert (told.total, told.new, told.refused, bench.letters()) == (60, new, 30, 30)
    assert len(bench.stored(MarketKind.QUOTE)) == 30


def test_a_contract_that_no_column_holds_is_one_letter_of_its_own(warehouse: Warehouse) -> None:
    """Not with its whole chain: its payload is the contract."""
    bench = warehouse_bench(warehouse)
    told = chain()
    bad = replace(told.contracts[2], bid=Decimal("0.000000000001"))
    whole = replace(told, contracts=(*told.contracts[:2], bad, *told.contracts[3:]))
    assert bench.store.load(MarketKind.CHAIN, SESSION, "lean", [whole]).refused == 1
    assert len(bench.stored(MarketKind.CHAIN)) == 5
    (letter,) = warehouse.rows("select field, payload, payload_bytes from audit.rejected_rows final")
    assert letter["field"] == "bid"
    assert '"contract"' in letter["payload"]
    assert letter["payload_bytes"] < 2_000


def test_a_bar_that_a_load_tells_twice_stands_once_and_repeats(bench: Bench) -> None:
    """The later one stands; the same load again adds nothing, merged meanwhile or not."""
    rows = [bar(1, "600.5"), bar(2), bar(1, "600.75")]
    assert bench.store.load(MarketKind.BAR, SESSION, "lean", rows).new == 2
    assert bench.store.load(MarketKind.BAR, SESSION, "lean", rows).new == 0
    assert [row[-1] for row in bench.stored(MarketKind.BAR)] == [Decimal("600.75"), Decimal("600.5")]


def test_a_snapshot_of_a_chain_keeps_its_contracts(bench: Bench) -> None:
    """Contracts of two snapshots are told apart by their moment."""
    bench.store.load(MarketKind.CHAIN, SESSION, "lean", [chain(0), chain(60, strikes=(595, 600))])
    found = bench.stored(MarketKind.CHAIN)
    assert [row[2] for row in found].count(after(0)) == 6
    assert [row[2] for row in found].count(after(60)) == 4
