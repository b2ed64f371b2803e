"""The view of all fills and the query for few sessions are two texts of one rule."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from fill_samples import ACCOUNT, DAY, RECEIVED, batch, fee, fill
from ingest_journal import journal

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import FillKind, FillRevision, Venue

DAYS = tuple(DAY - timedelta(days=place) for place in range(3))
COLUMNS = "fill_id, quantity, price, revision, source, fees, busted, fifo_ts, fifo_key, session, raw"


@pytest.fixture
def told(warehouse: Warehouse) -> None:
    """A warehouse that holds a journal with corrections, busts and fees of both."""
    store = ClickHouseFillStore(warehouse)
    for file in journal(3):
        for told_batch in file.all_batches:
            store.record(told_batch, RECEIVED)


def test_cancels_without_a_number_mean_the_same_in_view_and_query(warehouse: Warehouse) -> None:
    """A bust that only a confirmation told, and a cancel that the statement told again with its number."""
    store = ClickHouseFillStore(warehouse)
    rows = [fill("a.01", trade_id="T1"), cancel("c1", "T1", "")]
    rows += [fill("b.01", trade_id="T2", transaction_id="10"), cancel("c2", "T2", "")]
    rows += [cancel("flex:11", "T2", "11"), fill("b.01", trade_id="T2", transaction_id="12", revision=2)]
    store.record(batch(rows, [fee("c2", "c2", "-1"), fee("flex:11", "flex:11", "-1")]), RECEIVED)
    asked = {"venue": str(Venue.IBKR), "account": ACCOUNT, "sessions": [DAY]}
    columns = "fill_id, busted, fees"
    by_query = warehouse.rows(
        f"select {columns} from ({sql.query('fills_of_sessions')}) order by fill_id", asked
    )
    assert by_query == warehouse.rows(f"select {columns} from core.fills order by fill_id")
    assert [(row["busted"], row["fees"]) for row in by_query] == [(1, {}), (0, {"USD": Decimal(-1)})]


def cancel(fill_id: str, trade_id: str, number: str) -> FillRevision:
    """A cancel of a trade, with the broker's number or without."""
    return fill(fill_id, kind=FillKind.CANCEL, revision=0, cancels_trade_id=trade_id, transaction_id=number)


@pytest.mark.usefixtures("told")
def test_the_query_for_few_sessions_answers_as_the_view_does(warehouse: Warehouse) -> None:
    """Row for row, with fees, busts and places in FIFO: of all days, of some, of one without fills."""
    for sessions in (DAYS, DAYS[:1], DAYS[1:], (date(2020, 1, 2),)):
        asked = {"venue": str(Venue.IBKR), "account": "DU1", "sessions": list(sessions)}
        by_query = warehouse.rows(
            f"select {COLUMNS} from ({sql.query('fills_of_sessions')}) order by fill_id", asked
        )
        by_view = warehouse.rows(
            f"select {COLUMNS} from core.fills where venue = {{venue:String}} "
            "and account = {account:String} and session in {sessions:Array(Date)} order by fill_id",
            asked,
        )
        assert by_query == by_view, sessions
        assert bool(by_query) == (sessions[0].year == DAY.year), sessions
        assert any(row["busted"] for row in by_view) or sessions[0].year != DAY.year, sessions
