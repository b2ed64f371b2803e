"""The pollers of vendors as a process: Alpha Vantage and the sources of the volatility index.

`python -m desk.residents.vendors`; the stack starts it where a key is set, the stand-ins run, or the market
is listened to (the index is judged from the broker's quotes too). SIGTERM and SIGINT end it: what is on its
way is left, and asked again by the next one within the same plan. While Redis is down nothing is asked.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from adapters.wiring import (
    open_alerts,
    open_feed_board,
    open_live_state,
    open_market_sink,
    open_warehouse,
    volatility_poller,
)
from adapters.wiring_vendors import (
    asks_alpha_vantage,
    open_breaker_log,
    open_breaker_outbox,
    open_vendor_monitor,
    vendor_alerts,
    vendor_poller,
)
from desk.market_clock import market_clock
from desk.residents.life import beat_once, run_until_signal
from desk.residents.poll_loop import Outlets, PollLoop
from desk.residents.writer_lease import KeptWriter, beat_under, begin, held, writer_lease
from trading.feeds.poller import Moment, Poller
from trading.ports.alerts import Alerts
from trading.ports.market_state import MarketSink
from trading.settings import Settings

COMPONENT = "vendors"
CLOCK_PAUSE_S = 1.0
VOLATILITY_WORKERS = 4

_log = logging.getLogger(f"desk.{COMPONENT}")


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    return run_until_signal(COMPONENT, _serve)


def _serve(settings: Settings, stop: threading.Event) -> None:
    live_state = open_live_state(settings)
    clock = market_clock(settings)
    began, began_at = datetime.now(UTC), time.monotonic()  # a clock that is set back must not stop the plan

    def beat() -> None:
        beat_once(live_state, COMPONENT)

    def moment() -> Moment | None:
        market = clock()
        machine = began + timedelta(seconds=time.monotonic() - began_at)
        return None if market is None else Moment(market=market, machine=machine)

    lease = writer_lease(settings, COMPONENT)
    if not begin(settings, lease, stop.is_set, needs_live_state=True, pause=stop.wait):
        return
    alerts, refusals = open_alerts(settings, COMPONENT, awaits_lease=True), vendor_alerts(settings)
    with held(lease, alerts):
        writer = KeptWriter(lease, open_market_sink(settings))
        under = writer.take_over()
        for each in (alerts, refusals):
            each.fence(under.fencing)
            each.take_over()
        now = _first_moment(moment, beat_under(writer, live_state), stop)
        if now is not None:
            _poll(settings, stop, moment, beat, now, writer, (alerts, refusals))


def _poll(
    settings: Settings,
    stop: threading.Event,
    moment: Callable[[], Moment | None],
    beat: Callable[[], None],
    now: Moment,
    writer: KeptWriter[MarketSink],
    alerts: tuple[Alerts, Alerts],
) -> None:
    """Poll until the end; raises FencedOutError where another process took this one's place."""
    own, refusals = alerts
    warehouse = open_warehouse(settings)
    pollers: list[tuple[Poller, int]] = [(volatility_poller(settings, writer.sink), VOLATILITY_WORKERS)]
    closing: Callable[[], None] = lambda: None  # noqa: E731
    if asks_alpha_vantage(settings):
        poller, source = vendor_poller(settings, now, writer.sink, refusals)
        pollers.append((poller, settings.vendors.workers_max))
        closing = source.close
    outlets = Outlets(
        board=open_feed_board(settings),
        alerts=own,
        monitor=open_vendor_monitor(settings),
        breakers=open_breaker_outbox(settings),
        log=open_breaker_log(warehouse),
        beat=beat,
        tell_every_s=settings.ingest.metrics_every_s,
        beat_every_s=settings.ingest.heartbeat_every_s,
        keep=writer.keep,
        keep_every_s=writer.lease.every_s,
    )
    loop = PollLoop(pollers, outlets, moment)
    _log.info("polling %s", ", ".join(poller.source for poller, _ in pollers))
    loop.run(stop.is_set, stop.wait)
    closing()
    warehouse.close()


def _first_moment(
    moment: Callable[[], Moment | None], beat: Callable[[], None], stop: threading.Event
) -> Moment | None:
    """Wait for the market's time; None where the process is to end."""
    while not stop.is_set():
        beat()
        now = moment()
        if now is not None:
            return now
        stop.wait(CLOCK_PAUSE_S)
    return None


def _leave(code: int) -> NoReturn:
    """End now: the interpreter would wait for workers, and these for their servers, past the grace."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
