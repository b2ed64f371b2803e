"""The factory of what polls vendors: settings in, a poller and its outlets out; part of `adapters.wiring`.

Nothing connects here. Apart from the rest, since only one process polls vendors.
"""

import random
import time

from adapters.alpha_vantage.client import NAME as VENDOR
from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.history import AlphaVantageHistory
from adapters.alpha_vantage.source import AlphaVantage
from adapters.alpha_vantage.turns import HistoryTurns
from adapters.clickhouse.breaker_log import ClickHouseBreakerLog
from adapters.clickhouse.client import Warehouse
from adapters.clock import SystemClock
from adapters.indicators.talib_indicators import TalibIndicators
from adapters.redis.vendor import RedisBreakerOutbox, RedisRequestLedger, RedisVendorMonitor
from adapters.venue.safe_address import is_here
from adapters.wiring import open_alerts, open_market_state, redis_url
from trading.feeds.breaker import BreakerLimits
from trading.feeds.limiter import RateLimits
from trading.feeds.poller import Moment
from trading.feeds.retry import RetryPolicy
from trading.feeds.vendor_plan import Cadences, VendorPlan, left_of_day
from trading.market_settings import ChainMode, VendorSettings
from trading.ports.alerts import Alerts
from trading.ports.breaker_log import BreakerLog, BreakerOutbox
from trading.ports.market_history import MarketHistory
from trading.ports.market_state import MarketSink
from trading.ports.vendor_monitor import VendorMonitor
from trading.services.poll_vendor import VendorPoller, VendorTools
from trading.settings import Settings

SETTLED_CHAINS_EVERY_S = 3_600  # a chain of a session that is over does not change


def asks_alpha_vantage(settings: Settings) -> bool:
    """Whether there is a key, and in a simulated day a stand-in: that asks no real vendor."""
    told = settings.vendors
    may_be_asked = is_here(told.alpha_vantage_url) or not settings.broker.simulated_clock
    return bool(told.alpha_vantage_key) and may_be_asked


def vendor_alerts(settings: Settings) -> Alerts:
    """Where the vendor's refusals are told, under the lease of who asks it."""
    return open_alerts(settings, VENDOR, awaits_lease=True)


def vendor_poller(
    settings: Settings, now: Moment, sink: MarketSink, alerts: Alerts
) -> tuple[VendorPoller, AlphaVantage]:
    """Polls Alpha Vantage; the source is given beside it, to be closed at the end."""
    told = settings.vendors
    source = AlphaVantage(AlphaVantageClient(told), realtime=told.realtime_options)
    tools = VendorTools(
        source=source,
        sink=sink,
        state=open_market_state(settings),
        ledger=RedisRequestLedger(redis_url(settings)),
        monitor=open_vendor_monitor(settings),
        local=TalibIndicators(),
        alerts=alerts,
        chance=random.Random().random,  # noqa: S311 - jitter, no secret
    )
    limits = BreakerLimits(failures_max=told.breaker_failures_max, open_s=told.breaker_open_s)
    retry = RetryPolicy(attempts_max=told.attempts_max)
    speed = float(settings.broker.speed) if settings.broker.simulated_clock else 1.0
    return VendorPoller(vendor_plan(settings), tools, retry, limits, now, speed), source


def vendor_history(settings: Settings) -> MarketHistory | None:
    """Past sessions from the vendor; None where it is not asked, as in a simulated day."""
    if settings.broker.simulated_clock or not asks_alpha_vantage(settings):
        return None
    plan = vendor_plan(settings)
    turns = HistoryTurns(
        vendor=VENDOR,
        ledger=RedisRequestLedger(redis_url(settings)),
        limits=plan.limits,
        now=SystemClock().now,
        sleep=time.sleep,
        day_share=left_of_day(plan, computes_technicals=True),
    )
    return AlphaVantageHistory(
        source=AlphaVantage(AlphaVantageClient(settings.vendors)),
        turns=turns,
        symbols=plan.chains,
        news_symbols=plan.sentiment,
        news_window_s=plan.news_window_s,
        sentiment_every_s=plan.cadences.sentiment_s,
    )


def vendor_plan(settings: Settings) -> VendorPlan:
    """What is asked of whom: chains where there is one, indicators where there are bars, news if wanted."""
    symbols, told = settings.market.symbols, settings.vendors
    return VendorPlan(
        chains=tuple(name for name, symbol in symbols.items() if symbol.chain is not ChainMode.NONE),
        technicals=tuple(name for name, symbol in symbols.items() if symbol.bars),
        sentiment=tuple(name for name, symbol in symbols.items() if symbol.has_news),
        cadences=Cadences(
            chains_s=told.chains_every_s if told.realtime_options else SETTLED_CHAINS_EVERY_S,
            technicals_s=told.technicals_every_s,
            sentiment_s=told.sentiment_every_s,
        ),
        limits=_limits(told),
        news_window_s=told.news_window_s,
        live_chains=told.realtime_options,
    )


def open_vendor_monitor(settings: Settings) -> VendorMonitor:
    """Where figures of vendors go."""
    return RedisVendorMonitor(redis_url(settings))


def open_breaker_outbox(settings: Settings) -> BreakerOutbox:
    """Where breakers' changes wait for the warehouse."""
    return RedisBreakerOutbox(redis_url(settings))


def open_breaker_log(warehouse: Warehouse) -> BreakerLog:
    """Where breakers' changes stay."""
    return ClickHouseBreakerLog(warehouse)


def _limits(told: VendorSettings) -> RateLimits:
    return RateLimits(
        per_minute=told.requests_per_minute,
        per_day=told.requests_per_day,
        per_second=told.requests_per_second,
    )
