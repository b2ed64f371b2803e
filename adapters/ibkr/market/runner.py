"""The event loop around the market-data session: the link, the flushes, the line to the sink, health.

One thread runs the loop; what blocks (Redis) runs in threads beside it and touches nothing of the session.
When Redis is down, updates wait in the spool, and the loop goes on hearing.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.health import healths
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.listener import MarketListener
from adapters.ibkr.market.requests import SENDERS
from adapters.ibkr.market.session import MarketSession
from adapters.ibkr.market.spool import MarketSpool
from adapters.ibkr.session.link import Link
from adapters.ibkr.session.outputs import LinkAction
from trading.errors import LiveStateUnavailableError, OutboxFullError, TransientError
from trading.market_settings import IngestSettings, MarketSettings
from trading.model.broker import BrokerEvent, BrokerEventKind, LinkState
from trading.model.market import BarOrigin
from trading.ports.alerts import Alerts
from trading.ports.clock import Clock
from trading.ports.feed_health import FeedBoard
from trading.ports.live_state import Lease, LiveState
from trading.ports.market_state import MarketSink, MarketState, SymbolMarket, SymbolUpdate
from trading.services.hold_lease import HeldLease
from trading.services.watch_feeds import FeedWatch, watch_feeds
from trading.settings import BrokerSettings

COMPONENT = "ingest"
UPDATES_PER_WRITE_MAX = 500
ROWS_PER_WRITE_MAX = 5_000  # a block has no more; printed, some ten megabytes
ALERTS_WAITING_MAX = 1_000
PAUSE_AFTER_FAILURE_S = 0.5  # of Redis
TICK_MAX_S = 1.0  # time passes at least so often
METRICS_LEAST_S = 1.0
FLUSH_LEAST_MS = 10
BEATS_KEPT = 5  # the heartbeat outlives so many of its intervals
SILENT = "nothing is told of it"  # the reason of the state of a symbol whose quotes stand still
LAST_WRITES_S = 5.0  # after a stop, for what is still in the spool

_log = logging.getLogger("desk.ingest.runner")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketPorts:
    """What the process talks to besides the gateway."""

    sink: MarketSink
    state: MarketState | None = None  # what was heard before this process began
    board: FeedBoard
    live_state: LiveState
    alerts: Alerts
    clock: Clock
    lease: HeldLease | None = None  # None where nobody else could write


def market_link_settings(broker: BrokerSettings, ingest: IngestSettings) -> BrokerSettings:
    """The broker's settings for the connection of its own that market data have."""
    return replace(broker, client_id=ingest.client_id)


class MarketRunner:
    """One market-data session in one event loop."""

    def __init__(
        self,
        broker: BrokerSettings,
        market: MarketSettings,
        ingest: IngestSettings,
        ports: MarketPorts,
        chance: random.Random,
        capture: CaptureWriter | None = None,
    ) -> None:
        settings = market_link_settings(broker, ingest)
        self._ingest, self._ports, self._capture = ingest, ports, capture
        self.session = MarketSession(settings, market, ingest, ports.clock, chance, capture)
        self.spool = MarketSpool()
        self._heard, self._told = asyncio.Event(), asyncio.Event()
        self._link = market_link(settings, self.session, self._heard.set)
        self._flush_every = timedelta(milliseconds=max(ingest.flush_every_ms, FLUSH_LEAST_MS))
        self._flush_due = ports.clock.now()
        self._metrics_every_s = max(ingest.metrics_every_s / settings.speed, METRICS_LEAST_S)
        self._watch = FeedWatch()
        self._in_flight: list[SymbolUpdate] = []
        self._alerts: deque[tuple[str, str, bool]] = deque(maxlen=ALERTS_WAITING_MAX)
        self._writes_under: Lease | None = None
        self._stopping = False
        self._redis_fails = False
        self._told_capture = False

    @property
    def state(self) -> LinkState:
        """Where the connection stands."""
        return self.session.state

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; what was heard by then is written, for a few seconds."""
        writing = asyncio.create_task(self._forever(self._write), name="write")
        steps = (self._tell_alerts, self._tell_health, self._beat, self._hold)
        others = [asyncio.create_task(self._forever(step)) for step in steps]
        wake_at_stop = asyncio.create_task(stop.wait())
        wake_at_stop.add_done_callback(lambda _: self._heard.set())
        await self._resume()
        self.session.start()
        try:
            while not stop.is_set():
                self._turn()
                await self._pause()
                for task in (writing, *others):
                    if task.done():
                        await task  # its error is ours
        finally:
            await self._end([wake_at_stop, *others], writing)

    async def _resume(self) -> None:
        """Know until when the market was heard; a live state that is away or lost knows nothing of it."""
        state, symbols = self._ports.state, list(self.session.budget.symbols)
        if state is None:
            return
        try:
            await asyncio.to_thread(self._take_over)  # first: nobody before us writes behind what we read
            known = await asyncio.to_thread(state.read, symbols, chains=False)
        except TransientError as error:
            _log.warning("what was heard before is not known: %s", error)
            return
        heard = {name: each.ticker.at for name, each in known.items() if each.ticker is not None}
        prints = {name: each.trades[-1].at for name, each in known.items() if each.trades}
        self.session.resume(heard, {name: _whole_minutes(each) for name, each in known.items()}, prints)

    async def _end(self, others: Sequence["asyncio.Task[object]"], writing: "asyncio.Task[None]") -> None:
        self.session.stop()
        self._turn()
        self._flush(self._ports.clock.now())  # the last of it, and that nothing is heard from here on
        for task in others:
            task.cancel()
        self._stopping = True
        self._told.set()
        await asyncio.wait([writing], timeout=LAST_WRITES_S)
        writing.cancel()
        await asyncio.gather(writing, *others, return_exceptions=True)
        if self._capture is not None:
            self._capture.close()

    def _turn(self) -> None:
        """Let time pass in the session and do what it wants."""
        self._heard.clear()
        self.session.tick()
        outputs = self.session.outputs
        while outputs.events:
            self._take_event(outputs.events.popleft())
        while outputs.link:
            action = outputs.link.popleft()
            (self._link.open if action is LinkAction.CONNECT else self._link.close)()
        while outputs.requests:
            self._link.send(outputs.requests.popleft())
        now = self._ports.clock.now()
        if now >= self._flush_due:
            self._flush(now)

    def _flush(self, now: datetime) -> None:
        self._flush_due = now + self._flush_every
        self.spool.put(self.session.flush(now))
        if self._capture is not None and self._capture.failed and not self._told_capture:
            self._told_capture = True
            self._alerts.append(
                ("capture_ended", f"nothing more is written down: {self._capture.failed}", False)
            )
        while self.spool.dropped:
            lost = self.spool.dropped.pop(0)
            self._alerts.append(("market_gap", f"{lost.symbol}: {lost.text} are lost", False))
        if len(self.spool):
            self._told.set()

    def _take_event(self, event: BrokerEvent) -> None:
        """Log what a person at the console wants to see; alerts go to where he looks otherwise."""
        told = event.payload
        if event.kind is BrokerEventKind.LINK:
            _log.info("link %s: %s", told["state"], told["text"], extra={"code": told["code"]})
        elif event.kind is BrokerEventKind.ALERT:
            is_over = bool(told.get("is_over"))
            _log.warning("alert %s%s: %s", told["code"], " is over" if is_over else "", told["text"])
            self._alerts.append((str(told["code"]), str(told["text"]), is_over))

    async def _pause(self) -> None:
        until = min(self.session.next_tick() or self._flush_due, self._flush_due)
        left = (until - self._ports.clock.now()).total_seconds()
        try:
            await asyncio.wait_for(self._heard.wait(), min(max(left, 0.0), TICK_MAX_S))
        except TimeoutError:
            return

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step again and again; a service that is away is waited for."""
        while not self._stopping or (step == self._write and self._has_work()):
            try:
                await step()
                self._redis_fails = False
            except TransientError as error:
                if not self._redis_fails:
                    _log.warning("waiting for the live state: %s", error)
                self._redis_fails = True
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)

    def _has_work(self) -> bool:
        return bool(self._in_flight or len(self.spool))

    async def _write(self) -> None:
        """Write what waits; what nobody knows the fate of is written again as it was: a repeat is known."""
        await self._told.wait()
        while self._has_work():
            self._in_flight = self._in_flight or self.spool.take(UPDATES_PER_WRITE_MAX, ROWS_PER_WRITE_MAX)
            refused = await asyncio.to_thread(self._publish, self._in_flight)
            self._in_flight = []
            if refused:
                self.spool.put_back(refused)
                raise OutboxFullError(f"{len(refused)} symbols wait for the market drain")
        if not self._stopping:
            self._told.clear()

    def _publish(self, updates: Sequence[SymbolUpdate]) -> list[SymbolUpdate]:
        """Write; returns those that a full outbox refused. Raises LiveStateUnavailableError."""
        self._take_over()
        try:
            self._ports.sink.publish(updates)
        except OutboxFullError:
            return [update for update in updates if not self._is_published(update)]
        return []

    def _take_over(self) -> None:
        """Write under the lease that is held now; one that was lost ends the process where it is kept."""
        lease = self._ports.lease
        if lease is None:
            return
        if lease.lease is None:
            raise LiveStateUnavailableError(f"the lease {lease.component} is not taken yet")
        if lease.lease != self._writes_under:
            under = lease.lease
            self._ports.sink.take_over(under, list(self.session.budget.symbols))
            self._ports.alerts.fence(under.fencing)
            if self._writes_under is None:
                self._ports.alerts.take_over()
            self._writes_under = under

    def _is_published(self, update: SymbolUpdate) -> bool:
        try:
            self._ports.sink.publish([update])
        except OutboxFullError:
            return False
        return True

    async def _tell_alerts(self) -> None:
        while self._alerts:
            code, text, is_over = self._alerts[0]
            tell = self._ports.alerts.end_alert if is_over else self._ports.alerts.raise_alert
            if not await asyncio.to_thread(tell, f"{COMPONENT}_{code}", text):
                raise LiveStateUnavailableError("an alert could not be written")
            self._alerts.popleft()
        await asyncio.sleep(PAUSE_AFTER_FAILURE_S / 2)

    async def _tell_health(self) -> None:
        """How every feed is, judged on the market's clock; before the broker told it nothing can be."""
        at = self.session.market_time()
        if at is not None:
            told = healths(self.session, self._ingest, at, self._ports.clock.now())
            ports = self._ports
            judged = await asyncio.to_thread(watch_feeds, self._watch, ports.board, ports.alerts, told, at)
            for feed in judged.feeds:
                if feed.feed == LineKind.LEVEL1.value and feed.stands_still:
                    self.session.stand_still(feed.symbol, SILENT, feed.newest_at)
        await asyncio.sleep(self._metrics_every_s)

    async def _hold(self) -> None:
        """Keep the lease; another holder of it is an error that ends all."""
        lease = self._ports.lease
        if lease is not None:
            await asyncio.to_thread(lease.keep)
        await asyncio.sleep(TICK_MAX_S if lease is None else lease.every_s)

    async def _beat(self) -> None:
        every = self._ingest.heartbeat_every_s
        now = self._ports.clock.now()
        await asyncio.to_thread(self._ports.live_state.beat, COMPONENT, now, every * BEATS_KEPT)
        await asyncio.sleep(every)


def _whole_minutes(known: SymbolMarket) -> list[datetime]:
    """The minutes of the newest session that need not be asked of history."""
    last = known.bars[-1].at.date() if known.bars else None
    whole = (bar.at for bar in known.bars if bar.origin is not BarOrigin.PARTIAL)
    return [at for at in whole if at.date() == last]


def market_link(
    settings: BrokerSettings, session: MarketSession, wake: Callable[[], None], *, is_throttled: bool = True
) -> Link:
    """The market-data session's link; without the library's own throttle only in lock-step."""
    return Link(
        settings,
        session,
        wake,
        listen=lambda: MarketListener(session, settings.time_zone, wake),
        senders=SENDERS,
        as_text=session.as_text,
        is_throttled=is_throttled,
    )
