"""A session that was heard live, with a gap, and loaded from its history: what is read has each row once.

The live capture lost its link in the middle of minute 1 and got it back in minute 3. The order in which live
rows and loads came, and how often, must not be seen in what is read.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from market_samples import CALL, HEARD, SESSION, after, bar, entry, quote, trade

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.market import MarketKind, MarketRow

MINUTES, STEP_S = 5, 10
LOST_FROM, LOST_UNTIL = 90, 200  # seconds after the opening
TIMES = range(1, 60 * MINUTES, STEP_S)
HEARD_TIMES = [second for second in TIMES if not LOST_FROM <= second < LOST_UNTIL]
LIVE_ONLY = {"instrument_id": CALL.instrument_id}
FILE_ONLY = {"instrument_id": replace(CALL, strike=Decimal(700)).instrument_id}


def tape(kind: MarketKind, seconds: Sequence[int], digit: int) -> list[MarketRow]:
    """The session as one teller has it; the last digit of every price says who."""
    if kind is MarketKind.QUOTE:
        return [quote(second, f"599.0{digit}", f"600.0{digit}") for second in seconds]
    if kind is MarketKind.TRADE:
        return [trade(second, f"600.0{digit}", "10") for second in seconds]
    minutes = sorted({second // 60 for second in seconds})
    return [
        bar(minute, f"600.5{digit}", volume=Decimal(10 * sum(1 for s in seconds if s // 60 == minute)))
        for minute in minutes
    ]


LIVE, FILE = 1, 2
ORDERS = (("first", "second", "history"), ("history", "second", "first"), ("first", "history", "second"))
TABLES = {
    MarketKind.QUOTE: ("quote_rows", "quote_minute_rows"),
    MarketKind.TRADE: ("trade_rows", "trade_minute_rows"),
    MarketKind.BAR: ("bar_rows",),
}
ALONE = {
    MarketKind.QUOTE: (quote(5, "4", "5", **LIVE_ONLY), quote(5, "6", "7", **FILE_ONLY)),
    MarketKind.TRADE: (trade(5, "4", "1", **LIVE_ONLY), trade(5, "6", "1", **FILE_ONLY)),
    MarketKind.BAR: (bar(0, "600.9", **LIVE_ONLY), bar(0, "600.8", **FILE_ONLY)),
}
Act = Callable[[ClickHouseMarketStore], object]


def acts(kind: MarketKind) -> dict[str, Act]:
    """What happens to a session, in any order: the two lives of the capture, and the load."""
    before = [row for row in tape(kind, HEARD_TIMES, LIVE) if row.at < after(LOST_FROM)]  # type: ignore[union-attr]
    since = [row for row in tape(kind, HEARD_TIMES, LIVE) if row.at >= after(LOST_FROM)]  # type: ignore[union-attr]
    live, filed = ALONE[kind]
    first, second = entry(kind, *before, live, number=1), entry(kind, *since, number=2)
    history = [*tape(kind, TIMES, FILE), filed]
    return {
        "first": lambda store: store.record([first], (), is_repeat=False),
        "second": lambda store: store.record([second], (), is_repeat=False),
        "history": lambda store: store.load(kind, SESSION, "lean", history),
    }


def read(warehouse: Warehouse, view: str) -> list[tuple[Any, ...]]:
    """What is read, in the order of time, without what says when it came."""
    told = warehouse.rows(f"select * from core.{view} order by instrument_id, at")
    hidden = {"load_id", "heard_at", "stream", "entry_ms", "entry_seq", "place", "version"}
    return [tuple(value for name, value in row.items() if name not in hidden) for row in told]


@pytest.mark.parametrize(
    ("kind", "view"),
    [(MarketKind.QUOTE, "quotes_once"), (MarketKind.TRADE, "trades_once"), (MarketKind.BAR, "bars_once")],
)
def test_a_gap_is_filled_and_each_row_is_there_once_in_any_order(
    warehouse: Warehouse, kind: MarketKind, view: str
) -> None:
    """The answer is the same after every order, after repeats of all of it, and after merges."""
    answers = []
    for order in ORDERS:
        for table in (*TABLES[kind], "market_loads", "market_tellers"):
            warehouse.command(f"truncate table core.{table}")
        store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
        for name in order:
            acts(kind)[name](store)
        answers.append(read(warehouse, view))
    store.load(kind, SESSION, "lean", [*tape(kind, TIMES[:7], FILE)])
    for name in reversed(ORDERS[0]):
        acts(kind)[name](store)
    answers.append(read(warehouse, view))
    for table in TABLES[kind]:
        warehouse.command(f"optimize table core.{table} final")
    answers.append(read(warehouse, view))
    assert [answer for answer in answers if answer != answers[0]] == []
    spy = warehouse.rows(f"select at, source from core.{view} where instrument_id = 'STK:SPY' order by at")
    expected = sorted({after(60 * (s // 60)) if kind is MarketKind.BAR else after(s) for s in TIMES})
    assert [row["at"] for row in spy] == expected, "each once, the gap too"
    assert {row["source"] for row in spy} == {"lean"}
    others = warehouse.rows(f"select instrument_id, source from core.{view} where instrument_id != 'STK:SPY'")
    assert {row["instrument_id"]: row["source"] for row in others} == {
        LIVE_ONLY["instrument_id"]: "ibkr",
        FILE_ONLY["instrument_id"]: "lean",
    }


def test_a_quote_a_minute_fills_the_gap_and_takes_no_place_of_changes_that_were_heard(
    warehouse: Warehouse,
) -> None:
    """Minute files: minutes that were heard stay as they were heard, minute 2 was not and is the file's."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    store.record([entry(MarketKind.QUOTE, *tape(MarketKind.QUOTE, HEARD_TIMES, LIVE))], (), is_repeat=False)
    ends = [60 * minute + 59 for minute in range(MINUTES)]
    store.load(MarketKind.QUOTE, SESSION, "lean", tape(MarketKind.QUOTE, ends, FILE))
    told = warehouse.rows(
        "select toStartOfMinute(at) as minute, groupUniqArray(source) as sources, count() as rows "
        "from core.quotes_once group by minute order by minute"
    )
    sources = [row["sources"] for row in told]
    assert sources == [["ibkr"], ["ibkr"], ["lean"], ["ibkr"], ["ibkr"]]
    assert [row["rows"] for row in told] == [6, 3, 1, 4, 6]
    minutes = warehouse.rows("select minute, source, quotes from core.quote_minutes_once order by minute")
    assert [[row["source"]] for row in minutes] == sources
    assert [row["quotes"] for row in minutes] == [6, 3, 1, 4, 6]


def test_a_minute_of_prints_is_the_histories_even_where_more_was_heard(warehouse: Warehouse) -> None:
    """A feed that starts again may tell a print twice; its volume must not be read."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    twice = [trade(1, "600", "10"), trade(1, "600", "10", ordinal=1), trade(61, "600", "10")]
    store.record([entry(MarketKind.TRADE, *twice)], (), is_repeat=False)
    store.load(MarketKind.TRADE, SESSION, "lean", [trade(1, "600", "10")])
    assert warehouse.rows("select at, source from core.trades_once order by at") == [
        {"at": after(1), "source": "lean"},
        {"at": after(61), "source": "ibkr"},
    ]
    assert warehouse.value("select sum(volume) from core.trade_minutes_once") == 20


def test_what_one_teller_told_is_read_as_it_lies(warehouse: Warehouse) -> None:
    """Another session that was told twice costs a question about this one nothing but its planning."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    rows = tape(MarketKind.QUOTE, TIMES, LIVE)
    store.record([entry(MarketKind.QUOTE, *rows)], (), is_repeat=False)
    later = [replace(row, at=row.at + timedelta(days=3)) for row in rows]  # type: ignore[call-arg, union-attr, type-var]
    store.record([entry(MarketKind.QUOTE, *later, number=2)], (), is_repeat=False)
    store.load(MarketKind.QUOTE, SESSION + timedelta(days=3), "lean", later)
    plan = "\n".join(
        str(*row.values())
        for row in warehouse.rows(
            "explain indexes = 1 select bid from core.quotes_once "
            f"where symbol = 'SPY' and session = '{SESSION}'"
        )
    )
    found = re.findall(r"ReadFromMergeTree \(core\.quote_rows\).*?Parts: (\d+)", plan, re.DOTALL)
    assert found == ["1", "0"], plan


def test_two_live_feeds_of_one_minute_are_one(warehouse: Warehouse) -> None:
    """Of equal tellers the name decides; a load that does not stand any more decides nothing."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    for number, source in enumerate(("kraken", "ibkr"), start=1):
        told = entry(MarketKind.QUOTE, quote(1), number=number, source=source)
        store.record([told], (), is_repeat=False)
    assert [row["source"] for row in warehouse.rows("select source from core.quotes_once")] == ["ibkr"]
    store.load(MarketKind.QUOTE, SESSION, "lean", [quote(1), quote(2)])
    assert {row["source"] for row in warehouse.rows("select source from core.quotes_once")} == {"lean"}
    store.load(MarketKind.QUOTE, SESSION, "lean", [])
    assert [row["source"] for row in warehouse.rows("select source from core.quotes_once")] == ["ibkr"]
