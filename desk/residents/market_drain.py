"""The market's drain as a process: takes what was heard of the market into the warehouse until told to stop.

`python -m desk.residents.market_drain`; the stack starts it where a broker or a vendor is: where nobody
listens any more, what was heard before may still wait. It has a process of its own, so that a burst of quotes
never delays a fill. SIGTERM and SIGINT end it after what was told last. After a kill, what it held is given
to it again under its name; where that never comes back, another one claims it. While a service is down it
waits, and the outbox keeps everything.
"""

import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from adapters.wiring import market_drain_tools, open_alerts, open_live_state, open_market_warehouse
from adapters.wiring_alerts import alert_drain
from desk.residents.alert_drain import AlertDrain
from desk.residents.life import component_log, repeat, run_until_signal
from desk.residents.schema import wait_for_schema
from desk.residents.writer_lease import FencedAlerts, KeptWriter, beat_under, begin, held, writer_lease
from trading.errors import DeskError
from trading.services.drain_market import PAUSE_S, MarketDrain
from trading.settings import Settings

COMPONENT = "market-drain"
READ_WAIT_S = 1.0
LAST_ROUNDS_MAX = 5  # at the end; what is left after them waits for the next drain


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    return run_until_signal(COMPONENT, _serve)


def run_market_drain(
    drain: MarketDrain,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Drain until `stopping`: larger batches are cheaper, so there is a pause after one that was not full."""

    def step() -> float:
        report = drain.drain_once(READ_WAIT_S)
        return PAUSE_S if report.blocks and not report.is_full else 0.0

    repeat(COMPONENT, step, beat, stopping, pause)
    _drain_the_rest(drain)
    drain.end()


def _drain_the_rest(drain: MarketDrain) -> None:
    """Who hears the market has ended before: what it told last is stored now, not when somebody is back."""
    for _ in range(LAST_ROUNDS_MAX):
        try:
            if not drain.drain_once(0.0).blocks:
                return
        except DeskError as error:
            component_log(COMPONENT).warning("left for the next drain: %s", error)
            return


def _serve(settings: Settings, stop: threading.Event) -> None:
    lease = writer_lease(settings, COMPONENT)
    if begin(settings, lease, stop.is_set, needs_live_state=True, pause=stop.wait):
        alerts = open_alerts(settings, COMPONENT, awaits_lease=True)
        with held(lease, alerts):
            _drain(settings, stop, KeptWriter(lease, FencedAlerts(alerts)))


def _drain(settings: Settings, stop: threading.Event, writer: KeptWriter[FencedAlerts]) -> None:
    """Drain until the end; raises FencedOutError where another process took this one's place."""
    writer.keep()
    warehouse = open_market_warehouse(settings)
    live_state = open_live_state(settings)
    tools = market_drain_tools(settings, warehouse, f"{COMPONENT}@{socket.gethostname()}")
    drain = MarketDrain(replace(tools, alerts=writer.sink.alerts))
    waiting = (beat_under(writer, live_state), stop.is_set, stop.wait)
    alerts = AlertDrain(alert_drain(settings, COMPONENT))
    wait_for_schema(warehouse, *waiting)
    alerts.start()
    run_market_drain(drain, *waiting)
    alerts.stop()
    warehouse.close()


if __name__ == "__main__":
    sys.exit(main())
