"""Coverage is kept whatever else a batch says: two quiet days are two intervals."""

from datetime import timedelta

from fill_samples import NOON

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from trading.model.fills import CoverageInterval, FillBatch, Source, Venue


def test_intervals_of_batches_without_fills_are_all_kept(warehouse: Warehouse) -> None:
    """Batches that tell no fill have one content, and still each interval is stored, once."""
    store = ClickHouseFillStore(warehouse)
    for day in (0, 1, 2, 1):
        start = NOON + timedelta(days=day)
        covered = CoverageInterval(
            venue=Venue.IBKR,
            account="DU1",
            source=Source.SAME_DAY,
            start=start,
            end=start + timedelta(hours=1),
        )
        batch = FillBatch(venue=Venue.IBKR, source=Source.LIVE, origin=f"answer {day}", coverage=(covered,))
        store.record(batch, NOON)
    told = warehouse.rows("select start_at from core.coverage final order by start_at")
    assert [row["start_at"] for row in told] == [NOON + timedelta(days=day) for day in range(3)]
