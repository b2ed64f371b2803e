"""The core tables say of every column what it means, in the text that dbt and Dagster both show."""

import pytest

import dbt_like_models
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_audit import VIEWS, ClickHouseMarketAudit
from adapters.clickhouse.model_project import source_columns
from adapters.clickhouse.table_census import ClickHouseTableCensus
from trading.model.market import MarketKind
from trading.ports.model_runner import TableName

DESCRIBED = source_columns(dbt_like_models.FOLDER)
TABLES = ("fills", "fill_revisions", "lot_matches", "pnl_daily", "breaks", "broker_statements")


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described_and_no_other(warehouse: Warehouse, table: str) -> None:
    """A column without a text and a text without its column are both found, and a count carries the texts."""
    count = ClickHouseTableCensus(warehouse, DESCRIBED).count(TableName(database="core", table=table))
    assert {name for name, _ in count.columns} == set(count.described)
    assert all(text.endswith(".") for text in count.described.values())


COMMENTED = {
    "fill_revisions": "fill_revisions",
    "broker_statements": "broker_statements",
    "lot_match_versions": "lot_matches",
    "pnl_daily_versions": "pnl_daily",
    "break_events": "breaks",
    "commission_facts": "",
}


@pytest.mark.parametrize("table", COMMENTED)
def test_a_table_says_itself_what_its_columns_mean(warehouse: Warehouse, table: str) -> None:
    """In the words that models and pages show, for who asks the warehouse alone; none is left without."""
    count = ClickHouseTableCensus(warehouse).count(TableName(database="core", table=table))
    assert {name for name, _ in count.columns} == set(count.described)
    shown = DESCRIBED.get(TableName(database="core", table=COMMENTED[table]), {})
    assert {name: text for name, text in count.described.items() if name in shown} == {
        name: text for name, text in shown.items() if name in count.described
    }


@pytest.mark.parametrize("kind", VIEWS)
def test_every_column_of_the_market_is_shown_with_its_meaning(warehouse: Warehouse, kind: MarketKind) -> None:
    """What the assets show is the view's columns, each with the comment of the table under it."""
    notes = ClickHouseMarketAudit(warehouse).columns(kind)
    assert [note.name for note in notes] == [
        row["name"] for row in warehouse.rows(f"describe {VIEWS[kind].name}")
    ]
    assert all(note.about.endswith(".") and note.type for note in notes)
