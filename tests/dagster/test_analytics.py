"""The ready queries of sql/analytics: each says what it answers, runs, and answers on real fills."""

from pathlib import Path
from typing import Any

import pytest
from dagster_desk import Desk, failures

FOLDER = Path(__file__).parents[2] / "sql" / "analytics"
QUERIES = sorted(FOLDER.glob("*.sql"))
pytestmark = pytest.mark.timeout(600)
MAY_BE_EMPTY = {
    "04_correction_history",
    "08_open_breaks_with_age",
    "09_coverage_holes",
    "07_win_rate_and_expectancy",
    "12_pnl_restatements",
    "13_mark_to_market",
    "14_orders_and_their_fills",
    "15_coverage_by_day",
    "16_quote_quality",  # from here on the market, of which this desk has heard nothing
    "17_spread_by_minute_of_day",
    "18_chain_as_of",
    "19_smile_of_an_expiry",
    "20_volume_profile",
    "21_volatility_regimes",
    "22_trades_with_their_quotes",
    "23_market_data_gaps",
    "24_alerts_by_code_and_day",
}


@pytest.fixture(scope="module")
def booked(desk: Desk, shared_data: Path) -> Desk:
    """A desk whose books hold a real file."""
    assert not failures(desk.land(shared_data / "ibkr-flex" / "today.xml"))
    assert not failures(desk.request(desk.tick_books()))
    return desk


def _answer(desk: Desk, name: str) -> list[dict[str, Any]]:
    return desk.warehouse.rows((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def test_there_are_at_least_ten() -> None:
    """Ten ready queries and more, numbered without a gap."""
    assert len(QUERIES) >= 10
    assert [path.name[:2] for path in QUERIES] == [f"{n:02}" for n in range(1, len(QUERIES) + 1)]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_each_query_says_what_it_answers_and_answers(booked: Desk, path: Path) -> None:
    """A comment opens it; on real fills it returns rows, unless there is nothing to find."""
    assert path.read_text(encoding="utf-8").startswith("-- ")
    rows = _answer(booked, path.stem)
    assert rows or path.stem in MAY_BE_EMPTY


def test_fills_are_once(booked: Desk) -> None:
    """The acceptance query of the fill table on real fills."""
    (row,) = _answer(booked, "01_fills_once")
    assert row["blank_ids"] == 0
    assert row["logical_uniqueness"] == 1
    assert row["physical_uniqueness"] > 0.99
    assert row["fills"] == booked.warehouse.value("select count() from core.fills") > 0


def test_the_fill_table_keeps_its_promises(booked: Desk) -> None:
    """Six figures on real fills, each what it must be."""
    rows = _answer(booked, "11_fill_table_acceptance")
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["promise"] for row in rows if not row["kept"]] == []


def test_the_funnel_counts_each_account_session_once(booked: Desk) -> None:
    """Sessions narrow from traded to reconciled."""
    rows = _answer(booked, "10_from_file_to_proof")
    assert rows
    for row in rows:
        assert row["account_sessions"] >= row["with_pnl"] >= row["reconciled"] + row["broken"]
