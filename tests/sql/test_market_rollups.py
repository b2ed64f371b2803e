"""Minutes of quotes and trades follow from the rows as they stand: repeats, late rows, kills, new loads."""

from decimal import Decimal
from typing import Any

import pytest
from market_samples import HEARD, SESSION, after, entry, quote, trade

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_minutes import MarketMinutes
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.market import Aggressor, MarketEntry, MarketKind

QUOTES = [
    quote(1, "10", "12"),  # middle 11, spread 2
    quote(2, "10", "13"),  # 11.5, 3
    quote(3, None, "12"),
    quote(4, "9", "10"),  # 9.5, 1
    quote(5, "12", "12"),  # locked
    quote(59.9, "12", "11.5"),  # crossed, 11.75
    quote(61, "1", "2"),
]
TRADES = [
    trade(1, "10", "3"),
    trade(1, "10.5", "1", ordinal=1, aggressor=Aggressor.SELL),
    trade(2, "9", "2", aggressor=Aggressor.UNKNOWN),
    trade(3, "9.5", "4", aggressor=Aggressor.SELL),
]


@pytest.fixture
def store(warehouse: Warehouse) -> ClickHouseMarketStore:
    """The store on the empty warehouse."""
    return ClickHouseMarketStore(warehouse, now=lambda: HEARD)


def entries(kind: MarketKind, rows: list[Any]) -> list[MarketEntry]:
    """Each row an entry of its own."""
    return [entry(kind, row, number=number) for number, row in enumerate(rows, start=1)]


def minutes(warehouse: Warehouse, view: str) -> list[dict[str, Any]]:
    """What a view says, in order."""
    return warehouse.rows(f"select * except computed_at from core.{view} order by symbol, source, minute")


def test_a_minute_of_quotes_is_its_midpoints_spread_and_counts(
    warehouse: Warehouse, store: ClickHouseMarketStore
) -> None:
    """One-sided quotes are counted and have no midpoint; locked and crossed ones have one and are counted."""
    store.record(entries(MarketKind.QUOTE, QUOTES), (), is_repeat=False)
    first, second = minutes(warehouse, "quote_minutes")
    assert [first[name] for name in ("open", "high", "low", "close")] == [
        Decimal(figure) for figure in ("11", "12", "9.5", "11.75")
    ]
    assert [first[name] for name in ("quotes", "two_sided", "locked", "crossed")] == [6, 5, 1, 1]
    assert first["spread_average"] == Decimal("1.1")
    assert (first["minute"], second["minute"]) == (after(0), after(60))
    assert (second["quotes"], second["open"]) == (1, Decimal("1.5"))


def test_a_minute_without_a_two_sided_quote_has_counts_and_no_prices(
    warehouse: Warehouse, store: ClickHouseMarketStore
) -> None:
    """Recorded chains have many: nobody bids for what is worth nothing."""
    store.record(
        entries(MarketKind.QUOTE, [quote(1, None, "0.05"), quote(2, "1", None)]), (), is_repeat=False
    )
    (told,) = minutes(warehouse, "quote_minutes")
    assert (told["quotes"], told["two_sided"], told["open"], told["spread_average"]) == (2, 0, None, None)


def test_a_minute_of_trades_is_a_bar_with_its_value_and_sides(
    warehouse: Warehouse, store: ClickHouseMarketStore
) -> None:
    """Prints of one moment stand in the order of their ordinals; what nobody signed is on neither side."""
    store.record(entries(MarketKind.TRADE, TRADES), (), is_repeat=False)
    (told,) = minutes(warehouse, "trade_minutes")
    assert [told[name] for name in ("open", "high", "low", "close")] == [
        Decimal(figure) for figure in ("10", "10.5", "9", "9.5")
    ]
    assert (told["trades"], told["volume"], told["value"]) == (4, 10, Decimal("96.5"))
    assert (told["buy_volume"], told["sell_volume"], told["signed_volume"]) == (3, 5, -2)
    assert told["average"] == Decimal("9.65")


@pytest.mark.parametrize(
    ("kind", "rows", "table", "view"),
    [
        (MarketKind.QUOTE, QUOTES, "quote_rows", "quote_minutes"),
        (MarketKind.TRADE, TRADES, "trade_rows", "trade_minutes"),
    ],
)
def test_rows_that_lie_there_twice_count_once(
    warehouse: Warehouse,
    store: ClickHouseMarketStore,
    kind: MarketKind,
    rows: list[Any],
    table: str,
    view: str,
) -> None:
    """A drain that was taken for dead stores in other batches what another stored: no figure moves."""
    told = entries(kind, rows)
    store.record(told, (), is_repeat=False)
    once = minutes(warehouse, view)
    for cut in (1, 2, 3):
        store.record(told[cut:], (), is_repeat=False)
    assert warehouse.value(f"select count() from core.{table}") > len(rows)
    assert minutes(warehouse, view) == once
    store.record(told, (), is_repeat=True)
    warehouse.command(f"optimize table core.{table} final")
    store.record(told[:1], (), is_repeat=True)
    assert minutes(warehouse, view) == once
    assert warehouse.value(f"select count() from core.{table}") == len(rows)


def test_a_late_row_is_in_its_minute(warehouse: Warehouse, store: ClickHouseMarketStore) -> None:
    """A minute that was told is computed again from all its rows."""
    told = entries(MarketKind.QUOTE, QUOTES)
    store.record(told[1:], (), is_repeat=False)
    before = minutes(warehouse, "quote_minutes")
    store.record(told[:1], (), is_repeat=False)
    now = minutes(warehouse, "quote_minutes")
    assert (before[0]["open"], now[0]["open"]) == (Decimal("11.5"), Decimal(11))
    assert (before[0]["quotes"], now[0]["quotes"]) == (5, 6)
    assert before[1] == now[1]


def test_a_kill_between_rows_and_minutes_is_mended_by_the_repeat(
    warehouse: Warehouse, store: ClickHouseMarketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are there and their minute is not: the repeat adds no row and computes the minute."""
    told = entries(MarketKind.QUOTE, QUOTES)
    with monkeypatch.context() as killed:
        killed.setattr(MarketMinutes, "compute", lambda *_: None)
        store.record(told, (), is_repeat=False)
    assert minutes(warehouse, "quote_minutes") == []
    (report,) = store.record(told, (), is_repeat=True)
    assert (report.new, report.repeated) == (0, len(QUOTES))
    assert [row["quotes"] for row in minutes(warehouse, "quote_minutes")] == [6, 1]


def test_minutes_of_a_load_are_replaced_with_it(warehouse: Warehouse, store: ClickHouseMarketStore) -> None:
    """Each source has its own minutes; those that a later load does not tell are gone with its rows."""
    store.record(entries(MarketKind.QUOTE, QUOTES[:2]), (), is_repeat=False)
    store.load(MarketKind.QUOTE, SESSION, "lean", QUOTES)
    assert [(row["source"], row["quotes"]) for row in minutes(warehouse, "quote_minutes")] == [
        ("ibkr", 2),
        ("lean", 6),
        ("lean", 1),
    ]
    store.load(MarketKind.QUOTE, SESSION, "lean", QUOTES[:4])
    assert [(row["source"], row["quotes"]) for row in minutes(warehouse, "quote_minutes")] == [
        ("ibkr", 2),
        ("lean", 4),
    ]


def test_a_reader_sees_the_load_of_before_until_the_pointer_moves(
    warehouse: Warehouse, store: ClickHouseMarketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All new rows and minutes are stored, and nobody sees one of them; a kill there leaves nothing torn."""
    store.load(MarketKind.QUOTE, SESSION, "lean", QUOTES[:2])
    before = minutes(warehouse, "quote_minutes")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped, pytest.raises(KeyboardInterrupt):
        stopped.setattr("adapters.clickhouse.market_loads.MarketLoads._point", killed)
        store.load(MarketKind.QUOTE, SESSION, "lean", QUOTES)
    assert warehouse.value("select count() from core.quote_rows") == 2 + len(QUOTES)
    assert warehouse.value("select count() from core.quotes") == 2
    assert minutes(warehouse, "quote_minutes") == before
    told = store.load(MarketKind.QUOTE, SESSION, "lean", QUOTES)
    assert (told.new, told.repeated) == (5, 2)
    assert warehouse.value("select count() from core.quotes") == len(QUOTES)
    assert warehouse.value("select uniqExact(load_id) from core.quote_rows") == 2, "the killed one is swept"
