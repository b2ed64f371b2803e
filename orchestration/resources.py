"""What assets and sensors ask for, made of adapters at the start of each run or tick.

Settings are read when a resource is made, never at import: the code location loads with an empty
environment, and a service that moved is found at the next run.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

import dbt_like_models
from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.landing_log import ClickHouseLandingLog
from adapters.clickhouse.model_project import ModelProject
from adapters.clickhouse.model_runner import ClickHouseModelRunner
from adapters.clickhouse.pnl_history import ClickHousePnlHistory
from adapters.clickhouse.pnl_store import ClickHousePnlStore
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from adapters.clickhouse.statement_store import ClickHouseStatementStore
from adapters.clickhouse.table_census import ClickHouseTableCensus
from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.inbox.folder import FolderInbox
from adapters.inbox.reader import VenueFileReader
from adapters.plots.figures import MatplotlibPlots
from adapters.quality.expectations import GreatExpectationsGate
from adapters.wiring import ingest_stores, open_live_state, open_warehouse
from trading.errors import ConfigurationError
from trading.services.compute_books import BookTools
from trading.services.compute_pnl import PnlStores
from trading.services.land_files import LandingTools
from trading.services.reconcile_books import ReconcileTools
from trading.services.reconcile_session import ReconcileStores
from trading.settings import Settings


@dg.resource(description="The effective settings of this machine.")
def settings() -> Settings:
    """Read files and environment."""
    return load_settings()


@dg.resource(required_resource_keys={"settings"}, description="The warehouse as its writer.")
def warehouse(context: dg.InitResourceContext) -> Iterator[Warehouse]:
    """Open it, and give its connections back at the end."""
    client = open_warehouse(context.resources.settings)
    try:
        yield client
    finally:
        client.close()


@dg.resource(required_resource_keys={"settings", "warehouse"}, description="Landing of files from the inbox.")
def landing(context: dg.InitResourceContext) -> LandingTools:
    """Put the inbox, the readers, the log and the stores together."""
    chosen: Settings = context.resources.settings
    return LandingTools(
        inbox=FolderInbox(
            chosen.paths.inbox, chosen.paths.archive, file_bytes_max=chosen.inbox.file_bytes_max
        ),
        reader=VenueFileReader(),
        log=ClickHouseLandingLog(context.resources.warehouse),
        clock=SystemClock(),
        stores=ingest_stores(chosen, context.resources.warehouse, "dagster"),
    )


@dg.resource(required_resource_keys={"warehouse"}, description="Runs SQL models and their tests.")
def models(context: dg.InitResourceContext) -> ClickHouseModelRunner:
    """The models of this project on the warehouse."""
    return ClickHouseModelRunner(ModelProject(dbt_like_models.FOLDER), context.resources.warehouse)


@dg.resource(required_resource_keys={"settings"}, description="Quality rules by great-expectations.")
def quality(context: dg.InitResourceContext) -> GreatExpectationsGate:
    """The gate, with its HTML pages under the desk's home."""
    chosen: Settings = context.resources.settings
    url = chosen.services.warehouse_url
    if url is None:
        raise ConfigurationError(
            "warehouse: no address; start the stack with `desk up` or set CLICKHOUSE_URL"
        )
    return GreatExpectationsGate(url, pages=chosen.paths.home / "quality")


@dg.resource(required_resource_keys={"warehouse"}, description="History of quality results.")
def quality_history(context: dg.InitResourceContext) -> ClickHouseQualityHistory:
    """The history in the warehouse."""
    return ClickHouseQualityHistory(context.resources.warehouse)


@dg.resource(required_resource_keys={"warehouse"}, description="Counts of tables.")
def census(context: dg.InitResourceContext) -> ClickHouseTableCensus:
    """Counts in the warehouse."""
    return ClickHouseTableCensus(context.resources.warehouse)


@dg.resource(description="Pictures for people.")
def plots() -> MatplotlibPlots:
    """Plots as Markdown."""
    return MatplotlibPlots()


@dg.resource(description="The machine's clock.")
def clock() -> SystemClock:
    """Now."""
    return SystemClock()


@dg.resource(required_resource_keys={"settings", "warehouse"}, description="The P&L engine and its stores.")
def book(context: dg.InitResourceContext) -> BookTools:
    """The engine on the warehouse, by the configured rule for lots."""
    client, chosen = context.resources.warehouse, context.resources.settings
    stores = PnlStores(
        fills=ClickHouseFillStore(client),
        statements=ClickHouseStatementStore(client),
        pnl=ClickHousePnlStore(client),
        clock=SystemClock(),
    )
    return BookTools(stores=stores, method=chosen.books.lot_method)


@dg.resource(required_resource_keys={"settings", "warehouse"}, description="Comparison with the broker.")
def reconciliation(context: dg.InitResourceContext) -> ReconcileTools:
    """The stores of reconciliation, the live state among them: locks are set there too."""
    client, chosen = context.resources.warehouse, context.resources.settings
    stores = ReconcileStores(
        fills=ClickHouseFillStore(client),
        statements=ClickHouseStatementStore(client),
        pnl=ClickHousePnlStore(client),
        breaks=ClickHouseBreakStore(client),
        live_state=open_live_state(chosen),
        clock=SystemClock(),
    )
    return ReconcileTools(stores=stores, settings=chosen.reconciliation)


@dg.resource(required_resource_keys={"warehouse"}, description="What there is to draw.")
def pnl_history(context: dg.InitResourceContext) -> ClickHousePnlHistory:
    """Points in the warehouse."""
    return ClickHousePnlHistory(context.resources.warehouse)


RESOURCES: dict[str, Any] = {
    "settings": settings,
    "warehouse": warehouse,
    "landing": landing,
    "models": models,
    "quality": quality,
    "quality_history": quality_history,
    "census": census,
    "plots": plots,
    "clock": clock,
    "book": book,
    "reconciliation": reconciliation,
    "pnl_history": pnl_history,
}
