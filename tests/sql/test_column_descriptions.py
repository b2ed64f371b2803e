"""The core tables say of every column what it means, in the text that dbt and Dagster both show."""

import pytest

import dbt_like_models
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.model_project import source_columns
from adapters.clickhouse.table_census import ClickHouseTableCensus
from trading.ports.model_runner import TableName

DESCRIBED = source_columns(dbt_like_models.FOLDER)
TABLES = ("fills", "fill_revisions", "lot_matches", "pnl_daily", "breaks", "broker_statements")


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described_and_no_other(warehouse: Warehouse, table: str) -> None:
    """A column without a text and a text without its column are both found, and a count carries the texts."""
    count = ClickHouseTableCensus(warehouse, DESCRIBED).count(TableName(database="core", table=table))
    assert {name for name, _ in count.columns} == set(count.described)
    assert all(text.endswith(".") for text in count.described.values())
