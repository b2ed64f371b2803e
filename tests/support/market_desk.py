"""Market assets driven in-process on memory stores, with a clock that is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from adapters.memory.market_audit import MemoryMarketAudit
from adapters.memory.market_store import MemoryMarketStore
from adapters.plots.figures import MatplotlibPlots
from assets.market import MARKET_ASSETS, MARKET_SOURCES
from trading.ports.clock import Clock
from trading.ports.market_history import MarketHistory
from trading.services.load_market import MarketTools


@dataclass
class ToldClock(Clock):
    """Shows what it is told."""

    moment: datetime = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """That moment."""
        return self.moment


@dataclass
class MemoryMarketDesk:
    """The market's assets on a memory store."""

    histories: Sequence[MarketHistory]
    clock: ToldClock = field(default_factory=ToldClock)
    store: MemoryMarketStore = field(default_factory=MemoryMarketStore)

    def load(
        self, *tables: str, first: str, last: str = "", more_tags: Mapping[str, str] | None = None
    ) -> Mapping[str, Sequence[dg.AssetMaterialization]]:
        """Build tables for a range of sessions; what was told of each, by table."""
        wanted = [asset for asset in MARKET_ASSETS if asset.key.path[-1] in tables]
        tags = {
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last or first,
        }
        if not last:
            tags = {"dagster/partition": first}
        job = dg.Definitions(
            assets=[*wanted, *MARKET_SOURCES],
            jobs=[dg.define_asset_job("load", selection=[asset.key for asset in wanted])],
            resources={
                "market_tools": MarketTools(histories=self.histories, store=self.store, clock=self.clock),
                "market_audit": MemoryMarketAudit(self.store),
                "plots": MatplotlibPlots(),
            },
        ).resolve_job_def("load")
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(instance=instance, tags={**tags, **(more_tags or {})})
        return {table: _told(result, table) for table in tables}


def _told(result: dg.ExecuteInProcessResult, table: str) -> Sequence[dg.AssetMaterialization]:
    return [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["core", table])
    ]


def value(told: dg.AssetMaterialization, name: str) -> Any:
    """One figure of what was told."""
    return told.metadata[name].value
