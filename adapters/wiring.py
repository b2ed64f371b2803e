"""The one factory: settings in, adapters out; used by `desk` and by `orchestration`.

Nothing connects here: each adapter connects at its first use, so a service that is down is an error of the
call. A missing address is an error of the factory, with the way to mend it.
"""

import os
import random
import socket
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from adapters.clock import SystemClock
from adapters.home_folder.volatility_record import VolatilityFolder
from adapters.ibkr.live_messages import LiveMessages
from adapters.inbox.drop import FolderDrop
from adapters.venue.safe_address import check_address, is_here
from trading.errors import ConfigurationError
from trading.model.fills import Venue
from trading.ports.alerts import Alerts
from trading.ports.broker_commands import CommandQueue
from trading.ports.feed_health import FeedBoard
from trading.ports.live_state import LiveState
from trading.ports.market_outbox import MarketOutboxReader
from trading.ports.market_state import MarketSink, MarketState
from trading.ports.outbox import Outbox, OutboxReader
from trading.ports.venue_source import VenueSource
from trading.ports.volatility_source import DailyHistorySource
from trading.services.check_live import LiveCheckTools
from trading.services.compute_pnl import PnlStores
from trading.services.drain_fills import FillTools
from trading.services.drain_market import MarketDrainTools
from trading.services.drain_outbox import DrainTools
from trading.services.fetch_statements import FetchTools
from trading.services.ingest_fills import IngestStores
from trading.services.poll_volatility import VolatilityPoller, VolatilityTools
from trading.services.reconcile_session import ReconcileStores
from trading.services.run_coverage_shift import CoverageTools
from trading.services.watch_positions import WatchTools, watch_positions
from trading.settings import Settings
from trading.volatility.tracker import paced

if TYPE_CHECKING:
    from adapters.clickhouse.client import Warehouse
    from adapters.venue.whole_answer import PublicAddress  # over a second with its client

LEASE_PAUSE_S = 0.1
ATTEMPTS_STAGED_MAX = 20  # of the drain, until they are swept together; each is a partition of some rows


def open_warehouse(settings: Settings) -> "Warehouse":
    """The warehouse as its writer."""
    from adapters.clickhouse import stores

    return stores.Warehouse(_warehouse_url(settings))


def open_executions_warehouse(settings: Settings) -> "Warehouse":
    """The warehouse as the drain of orders and fills writes it: nothing goes before it."""
    from adapters.clickhouse import stores

    return stores.Warehouse(_warehouse_url(settings), priority=stores.Priority.EXECUTIONS)


def open_watches_warehouse(settings: Settings) -> "Warehouse":
    """The warehouse as those see it who look at fills and alerts: behind the fills, before the market."""
    from adapters.clickhouse import stores

    return stores.Warehouse(_warehouse_url(settings), priority=stores.Priority.WATCHES)


def open_market_warehouse(settings: Settings) -> "Warehouse":
    """The warehouse as the market's drain writes it: behind all others, and each insert is sent once.

    After a lost answer the drain looks what is there and sends what is missing, which is surer than a token.
    """
    from adapters.clickhouse import stores

    return stores.Warehouse(_warehouse_url(settings), attempts=1, priority=stores.Priority.MARKET)


def open_live_state(settings: Settings) -> LiveState:
    """The live state."""
    from adapters.redis.live_state import RedisLiveState  # 0.25 s, and the code location must load in 3 s

    return RedisLiveState(redis_url(settings))


def open_outbox(settings: Settings) -> Outbox:
    """Where the broker session puts its events."""
    from adapters.redis.outbox import RedisOutbox

    return RedisOutbox(redis_url(settings))


def open_outbox_reader(settings: Settings, consumer: str) -> OutboxReader:
    """Where the drain takes them; a process that starts again under its name gets what it held."""
    from adapters.redis.outbox import RedisOutboxReader

    return RedisOutboxReader(redis_url(settings), consumer=consumer)


def open_command_queue(settings: Settings) -> CommandQueue:
    """What the broker session is told."""
    from adapters.redis.commands import RedisCommandQueue

    return RedisCommandQueue(redis_url(settings))


def open_market_sink(settings: Settings) -> MarketSink:
    """Where feeds put what markets say."""
    from adapters.redis.market_sink import RedisMarketSink

    return RedisMarketSink(redis_url(settings))


def open_market_state(settings: Settings) -> MarketState:
    """The live market, to read."""
    from adapters.redis.market_state import RedisMarketState

    return RedisMarketState(redis_url(settings), letters=open_market_sink(settings))


def open_market_outbox_reader(settings: Settings, consumer: str) -> MarketOutboxReader:
    """Where the market drain takes its blocks; a process that starts again gets what it held."""
    from adapters.redis.market_outbox import RedisMarketOutboxReader

    return RedisMarketOutboxReader(redis_url(settings), consumer=consumer)


def open_feed_board(settings: Settings) -> FeedBoard:
    """Where each feed says how it is."""
    from adapters.redis.feed_board import RedisFeedBoard

    return RedisFeedBoard(redis_url(settings))


def volatility_poller(settings: Settings, sink: MarketSink) -> VolatilityPoller:
    """Polls the one-day index; the resident of the vendors hosts it. A simulated day asks no real vendor."""
    from adapters.yahoo.chart import YahooChart

    is_simulated = settings.broker.simulated_clock
    told = paced(settings.volatility, settings.broker.speed) if is_simulated else settings.volatility
    yahoo = _public_address(settings, "yahoo", told.yahoo_url)
    return VolatilityPoller(
        VolatilityTools(
            settings=told,
            market=open_market_state(settings),
            sink=sink,
            record=VolatilityFolder(settings.paths.home / "volatility"),
            quotes=None if yahoo is None else YahooChart(yahoo),
            history=volatility_history(settings),
            has_broker=settings.broker.host is not None and settings.ingest.enabled,
            chance=random.Random().random,  # noqa: S311 - jitter, no secret
        )
    )


def volatility_history(settings: Settings) -> DailyHistorySource | None:
    """The exchange's daily file of the one-day index; None where it is not asked."""
    from adapters.cboe.history import CboeHistory

    cboe = _public_address(settings, "cboe", settings.volatility.cboe_history_url)
    return None if cboe is None else CboeHistory(cboe)


def open_alerts(settings: Settings, component: str, *, awaits_lease: bool = False) -> Alerts:
    """Where a person sees what he must; `component` is who raises it, and may only under its lease."""
    from adapters.redis.alerts import RedisAlerts

    return RedisAlerts(redis_url(settings), component, awaits_lease=awaits_lease)


def ingest_stores(settings: Settings, warehouse: "Warehouse", component: str) -> IngestStores:
    """What ingestion writes to; `component` names the process that works, for its lease."""
    from adapters.clickhouse import stores

    return IngestStores(
        fills=stores.ClickHouseFillStore(warehouse),
        statements=stores.ClickHouseStatementStore(warehouse),
        live_state=open_live_state(settings),
        clock=SystemClock(),
        owner=f"{component}:{socket.gethostname()}:{os.getpid()}",
        pause=lambda: time.sleep(LEASE_PAUSE_S),
    )


def pnl_stores(warehouse: "Warehouse") -> PnlStores:
    """What the P&L engine reads and writes."""
    from adapters.clickhouse import stores

    return PnlStores(
        fills=stores.ClickHouseFillStore(warehouse),
        statements=stores.ClickHouseStatementStore(warehouse),
        pnl=stores.ClickHousePnlStore(warehouse),
        clock=SystemClock(),
    )


def reconcile_stores(settings: Settings, warehouse: "Warehouse") -> ReconcileStores:
    """What the comparison with the broker reads and writes; locks and alerts go to the live state."""
    from adapters.clickhouse import stores

    return ReconcileStores(
        fills=stores.ClickHouseFillStore(warehouse),
        statements=stores.ClickHouseStatementStore(warehouse),
        pnl=stores.ClickHousePnlStore(warehouse),
        breaks=stores.ClickHouseBreakStore(warehouse),
        live_state=open_live_state(settings),
        clock=SystemClock(),
        alerts=open_alerts(settings, "reconciliation"),
    )


def watch_tools(settings: Settings, warehouse: "Warehouse") -> WatchTools:
    """What the live comparison of positions reads and writes."""
    from adapters.clickhouse import stores

    return WatchTools(
        record=stores.ClickHousePositionRecord(warehouse),
        breaks=stores.ClickHouseBreakStore(warehouse),
        live_state=open_live_state(settings),
        alerts=open_alerts(settings, "positions"),
        clock=SystemClock(),
        settings=settings.reconciliation,
        quiet_period=timedelta(seconds=settings.broker.quiet_period_s) / settings.broker.speed,
    )


def drain_tools(settings: Settings, warehouse: "Warehouse", consumer: str) -> DrainTools:
    """What the drain reads, writes and calls; it watches the positions after each complete answer."""
    from adapters.clickhouse import stores

    watch = watch_tools(settings, warehouse)
    fills = FillTools(
        messages=LiveMessages(ZoneInfo(settings.broker.time_zone)),
        events=stores.ClickHouseBrokerEventStore(warehouse),
        fills=stores.ClickHouseFillStore(warehouse, unstage_after=ATTEMPTS_STAGED_MAX),
        clock=SystemClock(),
    )
    return DrainTools(
        reader=open_outbox_reader(settings, consumer),
        fills=fills,
        live_state=watch.live_state,
        on_positions=lambda at: watch_positions(watch, stored_by=at),
        alerts=open_alerts(settings, "drain"),
    )


def market_drain_tools(settings: Settings, warehouse: "Warehouse", consumer: str) -> MarketDrainTools:
    """What the market's drain reads and writes."""
    from adapters.clickhouse.market_batches import ClickHouseBatchLog
    from adapters.clickhouse.market_store import ClickHouseMarketStore  # 0.1 s: numpy and Arrow
    from adapters.clickhouse.metric_store import ClickHouseMetricStore

    return MarketDrainTools(
        reader=open_market_outbox_reader(settings, consumer),
        store=ClickHouseMarketStore(warehouse, minutes_wait=True),
        clock=SystemClock(),
        alerts=open_alerts(settings, "market-drain"),
        board=open_feed_board(settings),
        metrics=ClickHouseMetricStore(warehouse),
        batches=ClickHouseBatchLog(warehouse),
    )


def coverage_tools(settings: Settings, warehouse: "Warehouse") -> CoverageTools:
    """What the coverage shift asks, tells and reads."""
    from adapters.clickhouse import stores

    return CoverageTools(
        commands=open_command_queue(settings),
        events=stores.ClickHouseBrokerEventStore(warehouse),
        record=stores.ClickHousePositionRecord(warehouse),
        live_state=open_live_state(settings),
        clock=SystemClock(),
        pause=time.sleep,
        sweep_every=timedelta(seconds=settings.broker.sweep_every_s),
        speed=settings.broker.speed,
    )


def fetch_tools(settings: Settings) -> FetchTools:
    """Statements from the broker's Flex Web Service into the inbox folder."""
    from adapters.ibkr.flex_web import FlexWebService

    return FetchTools(
        source=FlexWebService(settings.flex), drop=FolderDrop(settings.paths.inbox), clock=SystemClock()
    )


def venue_source(settings: Settings, venue: Venue) -> VenueSource:
    """The account of a venue that makes no statement; raises ConfigurationError where it has no key."""
    told = settings.venues
    if venue is Venue.KRAKEN:
        from adapters.kraken.client import KrakenFills, kraken_requests
        from adapters.kraken.source import KrakenSource

        if not told.kraken_key or not told.kraken_secret:
            raise ConfigurationError("kraken: no key; set KRAKEN_FUTURES_KEY and KRAKEN_FUTURES_SECRET")
        check_address("venues.kraken_url", told.kraken_url)
        return KrakenSource(
            KrakenFills(
                account=_folder_name(told.kraken_account),
                api_key=told.kraken_key,
                secret=told.kraken_secret,
                clock=SystemClock(),
                requests=kraken_requests(told.kraken_url),
            )
        )
    from adapters.kalshi.client import KalshiFills, kalshi_requests, rsa_signer
    from adapters.kalshi.source import KalshiSource

    if venue is not Venue.KALSHI:
        raise ConfigurationError(f"{venue}: expected kalshi or kraken")
    if not told.kalshi_key_id or not told.kalshi_key_file:
        raise ConfigurationError("kalshi: no key; set KALSHI_KEY_ID and KALSHI_KEY_FILE")
    check_address("venues.kalshi_url", told.kalshi_url)
    return KalshiSource(
        KalshiFills(
            account=_folder_name(told.kalshi_account),
            key_id=told.kalshi_key_id,
            sign=rsa_signer(_key_of(told.kalshi_key_file)),
            clock=SystemClock(),
            requests=kalshi_requests(told.kalshi_url),
        )
    )


def venue_drop(settings: Settings, account: str) -> FolderDrop:
    """The folder of one account in the inbox: a venue's files name no account themselves."""
    return FolderDrop(settings.paths.inbox / _folder_name(account))


def live_check_tools(settings: Settings, warehouse: "Warehouse") -> LiveCheckTools:
    """What the checks of the live capture read; an answer is late after two sweeps."""
    from adapters.clickhouse import stores

    return LiveCheckTools(
        audit=stores.ClickHouseLiveAudit(warehouse),
        events=stores.ClickHouseBrokerEventStore(warehouse),
        history=stores.ClickHouseQualityHistory(warehouse),
        clock=SystemClock(),
        speed=settings.broker.speed,
        due_within=timedelta(seconds=2 * settings.broker.sweep_every_s),
        clock_skew_max_ms=settings.broker.clock_skew_max_ms,
    )


def _public_address(settings: Settings, name: str, url: str | None) -> "PublicAddress | None":
    """An address without a key; a simulated day asks those of this machine only."""
    from adapters.venue.whole_answer import AnswerLimits, PublicAddress

    is_asked = bool(url) and (not settings.broker.simulated_clock or is_here(str(url)))
    told = settings.volatility
    limits = AnswerLimits(
        connect_s=told.connect_timeout_s, answer_s=told.answer_timeout_s, bytes_max=told.answer_bytes_max
    )
    return PublicAddress(name, str(url), limits) if is_asked else None


def _folder_name(account: str) -> str:
    if not account or Path(account).name != account or account.startswith("."):
        raise ConfigurationError(f"venues: expected an account that can name a folder, was {account!r}")
    return account


def _key_of(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ConfigurationError(f"kalshi: the key file {path} cannot be read: {error.strerror}") from error


def redis_url(settings: Settings) -> str:
    return _required(settings.services.redis_url, "redis", "REDIS_URL")


def _warehouse_url(settings: Settings) -> str:
    return _required(settings.services.warehouse_url, "warehouse", "CLICKHOUSE_URL")


def _required(url: str | None, service: str, variable: str) -> str:
    if url is None:
        raise ConfigurationError(f"{service}: no address; start the stack with `desk up` or set {variable}")
    return url
