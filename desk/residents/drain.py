"""The drain as a process: takes the outbox into the warehouse until it is told to stop.

`python -m desk.residents.drain`; the stack starts it beside the broker session. SIGTERM and SIGINT end it
after the batch in hand. After a kill, what it held is given to it again under its name; where that never
comes back, another drain claims it. While a service is down it waits, and the outbox keeps everything.
"""

import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from adapters.wiring import (
    drain_tools,
    open_alerts,
    open_executions_warehouse,
    open_live_state,
    open_watches_warehouse,
    watch_tools,
)
from adapters.wiring_alerts import alert_drain
from desk.residents.alert_drain import AlertDrain
from desk.residents.life import repeat, run_until_signal
from desk.residents.position_watch import PositionWatch
from desk.residents.schema import wait_for_schema
from desk.residents.writer_lease import FencedAlerts, KeptWriter, beat_under, begin, held, writer_lease
from trading.services.drain_outbox import OutboxDrain
from trading.services.watch_positions import watch_positions
from trading.settings import Settings

COMPONENT = "drain"
READ_WAIT_S = 1.0  # also the longest time between two heartbeats of a drain that has nothing to do


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    return run_until_signal(COMPONENT, _serve)


def run_drain(
    drain: OutboxDrain,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Drain until `stopping`, without a rest."""

    def step() -> float:
        drain.drain_once(READ_WAIT_S)
        return 0.0

    repeat(COMPONENT, step, beat, stopping, pause)


def _serve(settings: Settings, stop: threading.Event) -> None:
    lease = writer_lease(settings, COMPONENT)
    if begin(settings, lease, stop.is_set, needs_live_state=True, pause=stop.wait):
        alerts = open_alerts(settings, COMPONENT, awaits_lease=True)
        with held(lease, alerts):
            _drain(settings, stop, KeptWriter(lease, FencedAlerts(alerts)))


def _drain(settings: Settings, stop: threading.Event, writer: KeptWriter[FencedAlerts]) -> None:
    """Drain until the end; raises FencedOutError where another process took this one's place."""
    writer.keep()
    warehouse, second = open_executions_warehouse(settings), open_watches_warehouse(settings)
    live_state = open_live_state(settings)
    looking = watch_tools(settings, second)
    watch = PositionWatch(lambda at: watch_positions(looking, stored_by=at))
    tools = drain_tools(settings, warehouse, f"{COMPONENT}@{socket.gethostname()}")
    worker = ThreadPoolExecutor(1, thread_name_prefix="fills")
    told = replace(tools, on_positions=watch.notify, alerts=writer.sink.alerts, beside=worker.submit)
    drain = OutboxDrain(told)
    waiting = (beat_under(writer, live_state), stop.is_set, stop.wait)
    alerts = AlertDrain(alert_drain(settings, COMPONENT))
    wait_for_schema(warehouse, *waiting)
    for beside in (watch, alerts):
        beside.start()
    run_drain(drain, *waiting)
    for beside in (watch, alerts):
        beside.stop()
    for client in (warehouse, second):
        client.close()


if __name__ == "__main__":
    sys.exit(main())
