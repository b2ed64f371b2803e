"""A minute of history takes the place of the part that was heard, and says where it is from."""

from market_samples import SESSION, bar, entry

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.market_store import ClickHouseMarketStore
from trading.model.market import BarOrigin, MarketKind


def test_a_refilled_minute_replaces_the_part_that_was_heard(warehouse: Warehouse) -> None:
    """Same key, so one row; the others keep saying what they are."""
    store = ClickHouseMarketStore(warehouse)
    heard = (bar(0, "600.1"), bar(1, "600.2", origin=BarOrigin.PARTIAL))
    asked = (bar(1, "600.25", origin=BarOrigin.REFILLED), bar(2, "600.3", origin=BarOrigin.REFILLED))
    store.record([entry(MarketKind.BAR, *heard, number=1)], [], is_repeat=False)
    store.record([entry(MarketKind.BAR, *asked, number=2)], [], is_repeat=False)
    for view in ("bars", "bars_once"):
        rows = warehouse.rows(
            f"select close, origin from core.{view} where session = {{session:Date}} order by at",
            {"session": SESSION},
        )
        told = [(f"{float(row['close']):.2f}", row["origin"]) for row in rows]
        assert told == [("600.10", "told"), ("600.25", "refilled"), ("600.30", "refilled")]
