"""The market's tables say of every column what it means, and the views say the same to dbt and Dagster."""

import pytest

import dbt_like_models
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.model_project import source_columns
from trading.ports.model_runner import TableName

DESCRIBED = source_columns(dbt_like_models.FOLDER)
VIEWS = {
    "quotes": "quote_rows",
    "trades": "trade_rows",
    "bars": "bar_rows",
    "depth": "depth_rows",
    "chains": "chain_rows",
    "instrument_states": "state_rows",
    "volatility": "volatility_rows",
    "news": "news_rows",
    "sentiment": "sentiment_rows",
    "technicals": "technical_rows",
    "quote_minutes": "quote_minute_rows",
    "trade_minutes": "trade_minute_rows",
    "quotes_once": "quote_rows",
    "trades_once": "trade_rows",
    "bars_once": "bar_rows",
    "quote_minutes_once": "quote_minute_rows",
    "trade_minutes_once": "trade_minute_rows",
}


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_described_alike_in_the_warehouse_and_for_models(
    warehouse: Warehouse, view: str
) -> None:
    """A column without a text, a text without its column, and two texts for one column are all found."""
    comments = {row["name"]: row["comment"] for row in warehouse.rows(f"describe core.{VIEWS[view]}")}
    assert all(text.endswith(".") for text in comments.values())
    shown = [row["name"] for row in warehouse.rows(f"describe core.{view}")]
    told = DESCRIBED[TableName(database="core", table=view)]
    assert list(told) == shown
    assert {name: text for name, text in told.items() if name in comments} == {
        name: text for name, text in comments.items() if name in shown
    }
    assert set(comments) - set(shown) <= {"stored_at", "spread_sum"}
