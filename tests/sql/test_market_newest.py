"""The views of the newest state: one row of each, the one that came last, and of loads only what stands."""

from dataclasses import replace

import pytest
from market_samples import CALL, HEARD, SESSION, after, chain, entry, quote, state, volatility

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_audit import ClickHouseMarketAudit
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.market import MarketKind, MarketRow, Regime, TradingState


@pytest.fixture
def store(warehouse: Warehouse) -> ClickHouseMarketStore:
    """The store on the empty warehouse."""
    return ClickHouseMarketStore(warehouse, now=lambda: HEARD)


def tell(store: ClickHouseMarketStore, kind: MarketKind, *rows: MarketRow) -> None:
    """Each row a live entry of its own, in this order."""
    told = [entry(kind, row, number=number) for number, row in enumerate(rows, start=1)]
    store.record(told, (), is_repeat=False)


def test_the_newest_quote_is_the_last_of_its_moment(
    warehouse: Warehouse, store: ClickHouseMarketStore
) -> None:
    """Of one moment the later entry; of the newest session only; sources stand side by side."""
    old = quote(-3 * 86_400, "1", instrument_id="STK:OLD")
    tell(
        store,
        MarketKind.QUOTE,
        old,
        quote(5, "10"),
        quote(5, None),
        quote(4, "8"),
        quote(1, "3", instrument_id="X"),
    )
    store.load(MarketKind.QUOTE, SESSION, "lean", [quote(9, "90", conid=7)])
    store.load(MarketKind.QUOTE, SESSION, "lean", [quote(8, "80", conid=8)])
    rows = warehouse.rows("select * from core.quotes_newest order by instrument_id, source")
    assert [(row["instrument_id"], row["source"], row["at"], row["bid"], row["conid"]) for row in rows] == [
        ("STK:SPY", "ibkr", after(5), None, None),
        ("STK:SPY", "lean", after(8), 80, 8),
        ("X", "ibkr", after(1), 3, None),
    ]
    described = {row["name"]: row["type"] for row in warehouse.rows("describe core.quotes")}
    for row in warehouse.rows("describe core.quotes_newest"):
        assert row["type"].replace("LowCardinality(String)", "String") == described[row["name"]].replace(
            "LowCardinality(String)", "String"
        )


def test_the_newest_chain_state_and_reading(warehouse: Warehouse, store: ClickHouseMarketStore) -> None:
    """Whole snapshots, the last change of a state, the last judgement of an index."""
    tell(store, MarketKind.CHAIN, chain(0), chain(10, strikes=(600,)))
    other = replace(state(3), instrument_id=CALL.instrument_id)
    tell(store, MarketKind.STATE, state(1), state(2, TradingState.OPEN), other)
    tell(store, MarketKind.VOLATILITY, volatility(1, "17"), volatility(2, "19"))
    assert warehouse.value("select count() from core.chains_newest") == 2
    states = warehouse.rows("select * from core.instrument_states_newest order by at")
    assert [(row["instrument_id"], row["state"]) for row in states] == [
        ("STK:SPY", "open"),
        (CALL.instrument_id, "halted"),
    ]
    assert [row["value"] for row in warehouse.rows("select * from core.volatility_newest")] == [19]


@pytest.mark.parametrize(("first", "then"), [(Regime.NORMAL, Regime.SHOCK), (Regime.SHOCK, Regime.NORMAL)])
def test_the_regime_of_a_reading_is_the_one_that_it_was_judged_last(
    warehouse: Warehouse, store: ClickHouseMarketStore, first: Regime, then: Regime
) -> None:
    """One moment's value may be judged again; that it is unknown after the close does not count."""
    judged = [(10, first), (20, then), (30, Regime.UNKNOWN)]
    readings = (volatility(1, "17", regime=regime, judged_at=after(seconds)) for seconds, regime in judged)
    tell(store, MarketKind.VOLATILITY, *readings)
    (told,) = warehouse.rows(sql.query("live_market"), {"session": SESSION})
    assert (told["regime"], told["volatility_readings"]) == (then.value, 3)


@pytest.mark.parametrize("names", [("cboe", "lean"), ("lean", "cboe")])
def test_of_two_chains_of_one_moment_a_smile_is_of_one_source(
    warehouse: Warehouse, store: ClickHouseMarketStore, names: tuple[str, str]
) -> None:
    """The later by its name, whichever was stored last."""
    for source in names:
        store.load(
            MarketKind.CHAIN, SESSION, source, [chain(strikes=(610 if source == "lean" else 620, 590))]
        )
    points = ClickHouseMarketAudit(warehouse).smiles(SESSION, HEARD, 3, 1)
    assert [(int(point.strike), point.is_call) for point in points] == [(610, True)]
