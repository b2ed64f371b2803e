"""Inserts that a server took and did not keep: a token without its rows, a part without all of its rows."""

from collections.abc import Mapping

import pyarrow as pa
import pytest
from embedded_warehouse import RunningWarehouse
from market_samples import SESSION, entry, quote, trade

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.errors import WarehouseError
from trading.model.market import MarketKind


def test_a_repeat_is_stored_though_its_first_insert_left_only_its_token(warehouse: Warehouse) -> None:
    """The engine notes a token before the rows are safe; what was looked for goes in under another one."""
    store = ClickHouseMarketStore(warehouse)
    entries = [entry(MarketKind.QUOTE, quote(1), quote(2)), entry(MarketKind.TRADE, trade(3), number=2)]
    store.record(entries, (), is_repeat=False)
    for table in ("quote_rows", "trade_rows"):
        warehouse.command(f"alter table core.{table} delete where 1", None, {"mutations_sync": 2})
    assert warehouse.value("select count() from core.quotes") == 0
    store.record(entries, (), is_repeat=True)
    assert warehouse.value("select count() from core.quotes") == 2
    assert warehouse.value("select count() from core.trades") == 1


class Forgetful(Warehouse):
    """A server that takes a part's rows and does not keep the last of them."""

    def insert_arrow(
        self, table: str, rows: pa.Table, token: str, settings: Mapping[str, object] | None = None
    ) -> int:
        """Say that all are there."""
        super().insert_arrow(table, rows.slice(0, rows.num_rows - 1), token, settings)
        return int(rows.num_rows)


def test_a_load_of_which_a_row_is_missing_is_not_pointed_at(
    server: RunningWarehouse, warehouse: Warehouse
) -> None:
    """What was sent is counted before readers see it; the load before stands."""
    rows = [quote(second) for second in (1, 2, 3)]
    ClickHouseMarketStore(warehouse).load(MarketKind.QUOTE, SESSION, "lean", rows[:1])
    with pytest.raises(WarehouseError, match="expected 3 rows stored, was 2"):
        ClickHouseMarketStore(Forgetful(server.url)).load(MarketKind.QUOTE, SESSION, "lean", rows)
    assert warehouse.value("select count() from core.quotes") == 1
