"""Adapters put together into what assets and sensors ask for. Imported when a run or a tick needs it.

Drivers take a second to import, which the code location should not pay to show what there is.
"""

from typing import Protocol

import dbt_like_models
import sql
from adapters.cboe.market_history import CboeMarketHistory
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.landing_log import ClickHouseLandingLog
from adapters.clickhouse.market_audit import ClickHouseMarketAudit
from adapters.clickhouse.market_store import ClickHouseMarketStore
from adapters.clickhouse.model_project import ModelProject, source_columns
from adapters.clickhouse.model_runner import ClickHouseModelRunner
from adapters.clickhouse.pnl_history import ClickHousePnlHistory
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from adapters.clickhouse.stored_bars import ClickHouseStoredBars
from adapters.clickhouse.table_census import ClickHouseTableCensus
from adapters.clock import SystemClock
from adapters.home_folder.volatility_record import VolatilityFolder
from adapters.inbox.folder import FolderInbox
from adapters.inbox.reader import VenueFileReader
from adapters.indicators.history import TechnicalsHistory
from adapters.lean.history import LeanHistory
from adapters.lean.recorded_greeks import RecordedGreeks
from adapters.plots.figures import MatplotlibPlots
from adapters.quality.expectations import GreatExpectationsGate
from adapters.quality.invariants import CombinedGate, InvariantGate
from adapters.quality.rules import RULES
from adapters.wiring import (
    coverage_tools,
    ingest_stores,
    live_check_tools,
    open_alerts,
    open_live_state,
    open_warehouse,
    pnl_stores,
    reconcile_stores,
    volatility_history,
)
from adapters.wiring_alerts import alert_drain_tools
from trading.ports.alerts import Alerts
from trading.ports.live_state import LiveState
from trading.ports.market_audit import MarketAudit
from trading.ports.market_history import MarketHistory
from trading.services.check_live import LiveCheckTools
from trading.services.check_market import MarketCheckTools
from trading.services.compute_books import BookTools
from trading.services.drain_alerts import AlertDrainTools
from trading.services.land_files import LandingTools
from trading.services.load_market import MarketTools
from trading.services.reconcile_books import ReconcileTools
from trading.services.run_coverage_shift import CoverageTools
from trading.settings import Settings


class Made(Protocol):
    """The resources that are made before the others."""

    settings: Settings
    warehouse: Warehouse


def warehouse(settings: Settings) -> Warehouse:
    """The warehouse as its writer."""
    return open_warehouse(settings)


def landing(made: Made) -> LandingTools:
    """The inbox, the readers, the log and the stores of ingestion."""
    paths, limits = made.settings.paths, made.settings.inbox
    return LandingTools(
        inbox=FolderInbox(paths.inbox, paths.archive, file_bytes_max=limits.file_bytes_max),
        reader=VenueFileReader(),
        log=ClickHouseLandingLog(made.warehouse),
        clock=SystemClock(),
        stores=ingest_stores(made.settings, made.warehouse, "dagster"),
    )


def book(made: Made) -> BookTools:
    """The P&L engine by the configured rule for lots."""
    return BookTools(stores=pnl_stores(made.warehouse), method=made.settings.books.lot_method)


def reconciliation(made: Made) -> ReconcileTools:
    """The comparison with the broker; locks are set in the live state too."""
    stores = reconcile_stores(made.settings, made.warehouse)
    return ReconcileTools(stores=stores, settings=made.settings.reconciliation)


def models(made: Made) -> ClickHouseModelRunner:
    """The models of this project."""
    return ClickHouseModelRunner(ModelProject(dbt_like_models.FOLDER), made.warehouse)


def quality(made: Made) -> CombinedGate:
    """Expectations and invariants as one gate; pages of the expectations go under the desk's home."""
    pages = made.settings.paths.home / "quality"
    expectations = GreatExpectationsGate(made.settings.services.warehouse_url or "", pages)
    invariants = InvariantGate(ClickHouseTableCensus(made.warehouse))
    return CombinedGate(
        {
            expectations: {rule.name for rule in RULES},
            invariants: {script.name for script in sql.invariants()},
        }
    )


def quality_history(made: Made) -> ClickHouseQualityHistory:
    """What the rules found, for ever."""
    return ClickHouseQualityHistory(made.warehouse)


def census(made: Made) -> ClickHouseTableCensus:
    """Counts of tables, with what their columns mean."""
    return ClickHouseTableCensus(made.warehouse, source_columns(dbt_like_models.FOLDER))


def pnl_history(made: Made) -> ClickHousePnlHistory:
    """What there is to draw."""
    return ClickHousePnlHistory(made.warehouse)


def plots(made: Made) -> MatplotlibPlots:
    """Pictures for people."""
    return MatplotlibPlots()


def coverage(made: Made) -> CoverageTools:
    """The coverage shift's commands, record and pace."""
    return coverage_tools(made.settings, made.warehouse)


def live_checks(made: Made) -> LiveCheckTools:
    """The live capture against statements, hours and clock."""
    return live_check_tools(made.settings, made.warehouse)


def market_tools(made: Made) -> MarketTools:
    """The sources of past sessions, what is computed of their bars, and the warehouse."""
    from adapters.indicators.talib_indicators import TalibIndicators  # the library takes half a second

    computed = TechnicalsHistory(bars=ClickHouseStoredBars(made.warehouse), indicators=TalibIndicators())
    return MarketTools(
        histories=(*market_histories(made.settings), computed),
        store=ClickHouseMarketStore(made.warehouse),
        clock=SystemClock(),
    )


def market_histories(settings: Settings) -> tuple[MarketHistory, ...]:
    """The sources of past market data that are configured: files, the vendor, daily volatility."""
    histories: list[MarketHistory] = []
    if settings.history.lean_folder is not None:
        histories.append(LeanHistory(settings.history.lean_folder))
        histories.append(RecordedGreeks(settings.history.lean_folder))
    if settings.vendors.alpha_vantage_key:
        from adapters.wiring_vendors import vendor_history  # 0.3 s: only where it is asked

        vendor = vendor_history(settings)
        histories.extend([vendor] if vendor is not None else [])
    daily = volatility_history(settings)
    if daily is not None:
        kept = VolatilityFolder(settings.paths.home / "volatility").daily
        histories.append(CboeMarketHistory(daily, settings.volatility, SystemClock().now, kept))
    return tuple(histories)


def market_audit(made: Made) -> MarketAudit:
    """Counts of market data, and what is to be drawn of it."""
    return ClickHouseMarketAudit(made.warehouse)


def market_checks(made: Made) -> MarketCheckTools:
    """Checks of market data, with the splits that the sources know."""
    return MarketCheckTools(
        audit=ClickHouseMarketAudit(made.warehouse),
        histories=market_histories(made.settings),
        history=ClickHouseQualityHistory(made.warehouse),
        clock=SystemClock(),
    )


def live_state(made: Made) -> LiveState:
    """Heartbeats, leases and locks."""
    return open_live_state(made.settings)


def alerts(made: Made) -> Alerts:
    """Where alerts go."""
    return open_alerts(made.settings, "dagster")


def alert_drain(made: Made) -> AlertDrainTools:
    """Where alerts stay, for a desk that has no process to take them there."""
    return alert_drain_tools(made.settings, "dagster")


def clock(made: Made) -> SystemClock:
    """The machine's clock."""
    return SystemClock()
