"""The ready queries about the market, on rows whose figures were worked out by hand."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from market_samples import (
    CALL,
    HEARD,
    OPEN,
    SESSION,
    after,
    chain,
    entry,
    greeks,
    quote,
    trade,
    volatility,
)

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.instruments import Right
from trading.model.market import Aggressor, MarketKind, MarketRow, Regime, VolatilitySource

FOLDER = Path(__file__).parents[2] / "sql" / "analytics"
NEXT = 3 * 86_400  # seconds to the same time of the next session
OPTION = {"instrument_id": CALL.instrument_id}


@pytest.fixture
def tell(warehouse: Warehouse) -> Any:
    """Store rows of one kind as a live entry."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    numbers = iter(range(1, 1_000))

    def told(kind: MarketKind, *rows: MarketRow) -> None:
        store.record([entry(kind, *rows, number=next(numbers))], (), is_repeat=False)

    return told


def asked(warehouse: Warehouse, name: str) -> list[dict[str, Any]]:
    """Run one of the ready queries."""
    return warehouse.rows((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def test_quote_quality_counts_what_signals_stumble_over(warehouse: Warehouse, tell: Any) -> None:
    """Of eight quotes of two instruments, two have one side, one is locked, one is crossed."""
    tell(
        MarketKind.QUOTE,
        *(quote(n, "100", "101") for n in range(3)),
        quote(3, None, "101"),
        quote(4, "101", None),
        quote(5, "101", "101"),
        quote(6, "102", "101", **OPTION),
        quote(7, "100", "101", **OPTION),
    )
    (told,) = asked(warehouse, "16_quote_quality")
    assert (told["symbol"], told["session"], told["source"]) == ("SPY", SESSION, "ibkr")
    assert (told["instruments"], told["quotes"]) == (2, 8)
    assert (told["one_sided_percent"], told["locked_percent"], told["crossed_percent"]) == (25, 12.5, 12.5)


def test_spread_by_minute_is_the_underlyings_in_new_york_time(warehouse: Warehouse, tell: Any) -> None:
    """Two sessions meet in one minute of the day; each quote counts alike, options not at all."""
    tell(MarketKind.QUOTE, quote(1, "99", "101"), quote(2, "99.5", "100.5"), quote(3, "1", "9", **OPTION))
    tell(MarketKind.QUOTE, quote(NEXT + 1, "98", "102"), quote(NEXT + 61, "99", "101"))
    told = asked(warehouse, "17_spread_by_minute_of_day")
    assert [(row["minute_of_day"], row["sessions"], row["quotes"]) for row in told] == [
        ("09:30", 2, 3),
        ("09:31", 1, 1),
    ]
    assert told[0]["spread"] == pytest.approx((2 + 1 + 4) / 3, abs=1e-6)
    assert told[1]["spread_bps"] == 200


def test_a_chain_as_of_a_moment_is_its_newest_snapshot(warehouse: Warehouse, tell: Any) -> None:
    """Older snapshots are left out; a source that stopped is shown with its age."""
    tell(MarketKind.CHAIN, chain(0), chain(10, strikes=(600,)), chain(20, strikes=(595, 600)))
    ClickHouseMarketStore(warehouse, now=lambda: HEARD).load(MarketKind.CHAIN, SESSION, "lean", [chain(5)])
    told = asked(warehouse, "18_chain_as_of")
    assert [(row["source"], row["age_s"]) for row in told] == [("ibkr", 0)] * 4 + [("lean", 15)] * 6
    assert {row["at"] for row in told if row["source"] == "ibkr"} == {after(20)}


def test_a_smile_is_of_the_side_out_of_the_money(warehouse: Warehouse, tell: Any) -> None:
    """Of the nearest expiry only; contracts without a volatility are no points."""
    snapshot = chain(0, strikes=(590, 600, 610))
    contracts = [
        replace(one, greeks=greeks(implied_volatility=0.1 + n / 100))
        for n, one in enumerate(snapshot.contracts)
    ]
    later = [
        replace(one, option=replace(one.option, expiry=date(2026, 12, 18))) for one in snapshot.contracts
    ]
    tell(MarketKind.CHAIN, replace(snapshot, contracts=(*contracts, *later)))
    told = asked(warehouse, "19_smile_of_an_expiry")
    assert [(row["strike"], row["option_right"], row["implied_volatility"]) for row in told] == [
        (590, str(Right.PUT), 0.11),
        (600, str(Right.PUT), 0.13),
        (610, str(Right.CALL), 0.14),
    ]
    assert told[0]["log_moneyness"] == pytest.approx(-0.01684, abs=1e-5)


def test_a_volume_profile_adds_up_and_marks_its_highest_rung(warehouse: Warehouse, tell: Any) -> None:
    """A range of five is cut into rungs of a tenth; the signed volume is bought less sold."""
    tell(
        MarketKind.TRADE,
        trade(1, "600", "10"),
        trade(2, "600.05", "5", aggressor=Aggressor.SELL),
        trade(3, "602.5", "40", aggressor=Aggressor.UNKNOWN),
        trade(4, "605", "25"),
        trade(5, "1", "900", **OPTION),
    )
    told = asked(warehouse, "20_volume_profile")
    assert [(row["from_price"], row["volume"], row["signed_volume"]) for row in told] == [
        (600, 15, 5),
        (Decimal("602.5"), 40, 0),
        (605, 25, 25),
    ]
    assert [bool(row["is_point_of_control"]) for row in told] == [False, True, False]
    assert sum(row["volume_percent"] for row in told) == 100


def test_regimes_are_runs_of_readings(warehouse: Warehouse, tell: Any) -> None:
    """A regime that comes back is a run of its own."""
    for minute, (value, regime) in enumerate(
        [
            ("17", Regime.NORMAL),
            ("18", Regime.NORMAL),
            ("36", Regime.SHOCK),
            ("30", Regime.SHOCK),
            ("17", Regime.NORMAL),
        ]
    ):
        tell(MarketKind.VOLATILITY, volatility(60 * minute, value, regime=regime))
    told = asked(warehouse, "21_volatility_regimes")
    assert [
        (row["regime"], row["minutes"], row["readings"], row["lowest"], row["highest"]) for row in told
    ] == [
        ("NORMAL", 0, 1, 17, 17),
        ("SHOCK", 1, 2, 30, 36),
        ("NORMAL", 1, 2, 17, 18),
    ]


def test_a_close_that_the_history_tells_again_is_one_close(warehouse: Warehouse, tell: Any) -> None:
    """Heard live, told by the poller and loaded: the load is the close, the live readings are the course."""
    store = ClickHouseMarketStore(warehouse, now=lambda: HEARD)
    close_s, calm = 6.5 * 3_600, {"source": VolatilitySource.CBOE_HISTORY, "regime": Regime.BENIGN}
    live = [volatility(0, "17"), volatility(close_s + 9, "18.4", source=VolatilitySource.IBKR)]
    tell(MarketKind.VOLATILITY, *live)
    settled = volatility(close_s, "18.41", **calm)
    unheard = volatility(close_s + NEXT, "12", **calm)
    closes = "select session, value, is_settled, load_id > 0 as is_load from core.volatility_closes"

    def told() -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in warehouse.rows(f"{closes} order by session")]

    assert told() == [(SESSION, Decimal("18.4"), 0, 0)]
    tell(MarketKind.VOLATILITY, settled)
    assert told() == [(SESSION, Decimal("18.41"), 1, 0)]
    loaded = volatility(close_s, "18.42", **calm)
    for reading in (loaded, unheard):
        session = SESSION if reading is loaded else unheard.at.date()
        store.load(MarketKind.VOLATILITY, session, "cboe_history", [reading])
    assert told() == [(SESSION, Decimal("18.42"), 1, 1), (unheard.at.date(), Decimal("12"), 1, 1)]
    assert warehouse.value("select count() from core.volatility") == 5
    course = warehouse.rows("select value from core.volatility_course order by at")
    assert [row["value"] for row in course] == [17, Decimal("18.4"), 12]
    runs = asked(warehouse, "21_volatility_regimes")
    assert [(row["regime"], row["readings"]) for row in runs] == [("BENIGN", 1), ("NORMAL", 2)]


def test_a_trade_meets_the_quote_that_stood(warehouse: Warehouse, tell: Any) -> None:
    """At, inside and outside the spread; a quote of the same moment stands, a later one does not."""
    tell(
        MarketKind.QUOTE,
        quote(0, "100", "102"),
        quote(10, "104", "106"),
        quote(12, "109", "107"),
        quote(13, "200", "202"),
    )
    tell(
        MarketKind.TRADE,
        trade(5, "102", "1"),
        trade(10, "105.5", "1"),
        trade(12.5, "103", "2", aggressor=Aggressor.BUY),
        trade(-5, "50", "7"),
    )
    (told,) = asked(warehouse, "22_trades_with_their_quotes")
    assert told["trades"] == 3
    assert [told[f"{name}_percent"] for name in ("at_quote", "inside", "outside")] == [33.33, 33.33, 33.33]
    assert told["effective_spread"] == 2 * (1 * 1 + 0.5 * 1 + 2 * 2) / 4
    assert told["quoted_spread"] == 2
    assert told["side_agrees_percent"] == 66.67
    assert told["quote_age_ms"] == 2500


def test_gaps_are_days_and_minutes_without_rows(warehouse: Warehouse, tell: Any) -> None:
    """A day on which another kind has rows is missing; one on which nothing has rows may have been closed."""
    for day in (0, 5, 6):  # Friday, Wednesday, Thursday
        tell(MarketKind.QUOTE, *(quote(day * 86_400 + 60 * n) for n in range(390)))
    tell(MarketKind.TRADE, trade(0), trade(3 * 86_400), trade(6 * 86_400))
    tell(MarketKind.QUOTE, quote(7 * 86_400))
    told = asked(warehouse, "23_market_data_gaps")
    monday, tuesday = SESSION + timedelta(days=3), SESSION + timedelta(days=4)
    missing = [(row["kind"], row["session"]) for row in told if row["is_missing"]]
    assert missing == [("trades", SESSION + timedelta(days=5)), ("quotes", monday)]
    assert {row["session"] for row in told if row["missing_of_all"]} == {tuesday}
    assert [(row["session"], row["minutes_missing"]) for row in told if row["minutes_missing"]] == [
        (OPEN.date() + timedelta(days=7), 389)
    ]
