"""An insert's token that is there without its rows, as a kill leaves it, swallows no repeat."""

from market_samples import entry, quote, trade

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
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
