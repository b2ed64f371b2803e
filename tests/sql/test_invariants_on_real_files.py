"""Real statements break no invariant, and the venue's own count speaks when a row of it is lost."""

from pathlib import Path

import pytest
from fill_samples import RECEIVED

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.ibkr.read_file import read

FILES = ("activity.xml", "today.xml", "annual-2025.xml")
COUNTED = "statements_that_told_more_trades"


def _take(warehouse: Warehouse, source: Path) -> None:
    file = read(source)
    for batch in file.batches:
        ClickHouseFillStore(warehouse).record(batch, RECEIVED)
    for statement in file.statements:
        ClickHouseStatementStore(warehouse).record(statement, RECEIVED)


def _speaking(warehouse: Warehouse) -> dict[str, object]:
    found = {script.name: warehouse.rows(script.text) for script in sql.invariants()}
    return {name: rows for name, rows in found.items() if rows}


def test_three_real_statements_break_no_invariant(warehouse: Warehouse, shared_data: Path) -> None:
    """Every trade row that they tell is here, at a lawful time, quantity, price and session."""
    for name in FILES:
        _take(warehouse, shared_data / "ibkr-flex" / name)
    assert warehouse.value("select sum(trade_rows) from core.broker_statements") > 495
    found = _speaking(warehouse)
    found.pop("fill_times_after_ingestion", None)  # the files are of days after the fixed time of arrival
    assert found == {}


@pytest.mark.parametrize("name", FILES)
def test_a_lost_row_is_missed_by_the_statements_own_count(
    warehouse: Warehouse, shared_data: Path, name: str
) -> None:
    """One version less than the statement told, and the statement is named."""
    _take(warehouse, shared_data / "ibkr-flex" / name)
    lost = warehouse.value("select min(fill_id) from core.fill_revisions")
    warehouse.command(
        "alter table core.fill_revisions delete where fill_id = {fill_id:String} settings mutations_sync = 1",
        {"fill_id": lost},
    )
    (row,) = warehouse.rows(next(item.text for item in sql.invariants() if item.name == COUNTED))
    assert row["told"] > row["here"]
