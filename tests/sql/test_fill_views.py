"""The view of all fills and the query for few sessions are two texts of one rule."""

from datetime import date, timedelta

import pytest
from fill_samples import DAY, RECEIVED
from ingest_journal import journal

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import Venue

DAYS = tuple(DAY - timedelta(days=place) for place in range(3))
COLUMNS = "fill_id, quantity, price, revision, source, fees, busted, fifo_ts, fifo_key, session, raw"


@pytest.fixture
def told(warehouse: Warehouse) -> Warehouse:
    """A warehouse that holds a journal with corrections, busts and fees of both."""
    store = ClickHouseFillStore(warehouse)
    for file in journal(3):
        for batch in file.all_batches:
            store.record(batch, RECEIVED)
    return warehouse


@pytest.mark.parametrize("sessions", [DAYS, DAYS[:1], DAYS[1:], (date(2020, 1, 2),)])
def test_the_query_for_few_sessions_answers_as_the_view_does(
    told: Warehouse, sessions: tuple[date, ...]
) -> None:
    """Row for row, with fees, busts and places in FIFO."""
    asked = {"venue": str(Venue.IBKR), "account": "DU1", "sessions": list(sessions)}
    by_query = told.rows(f"select {COLUMNS} from ({sql.query('fills_of_sessions')}) order by fill_id", asked)
    by_view = told.rows(
        f"select {COLUMNS} from core.fills where venue = {{venue:String}} and account = {{account:String}} "
        "and session in {sessions:Array(Date)} order by fill_id",
        asked,
    )
    assert by_query == by_view
    assert bool(by_query) == (sessions[0].year == DAY.year)
    assert any(row["busted"] for row in by_view) or sessions[0].year != DAY.year
