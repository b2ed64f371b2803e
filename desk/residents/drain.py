"""The drain as a process: takes the outbox into the warehouse until it is told to stop.

`python -m desk.residents.drain`; the stack starts it beside the broker session. SIGTERM and SIGINT end it
after the batch in hand. After a kill, what it held is given to it again under its name; where that never
comes back, another drain claims it. While a service is down it waits, and the outbox keeps everything.
"""

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.wiring import drain_tools, open_live_state, open_warehouse, watch_tools
from desk.logs import log_to_console
from desk.residents.position_watch import PositionWatch
from desk.residents.schema import wait_for_schema
from trading.errors import DeskError, LiveStateUnavailableError
from trading.ports.live_state import LiveState
from trading.services.drain_outbox import OutboxDrain
from trading.services.watch_positions import watch_positions
from trading.settings import Settings

COMPONENT = "drain"
FAILED = 1
READ_WAIT_S = 1.0  # also the longest time between two heartbeats of a drain that has nothing to do
BEAT_TTL_S = 15
PAUSE_FIRST_S = 0.2
PAUSE_MAX_S = 5.0  # a service that comes back is noticed within this time

_log = logging.getLogger(f"desk.{COMPONENT}")


def main() -> int:
    """Run until a signal comes; returns the process's exit code."""
    log_to_console(logging.INFO)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = load_settings()
        _serve(settings, stop)
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0


def run_drain(
    drain: OutboxDrain,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Drain until `stopping`; a service that is down is waited for, ever longer up to PAUSE_MAX_S."""
    pause_s = PAUSE_FIRST_S
    while not stopping():
        beat()
        try:
            drain.drain_once(READ_WAIT_S)
            pause_s = PAUSE_FIRST_S
        except DeskError as error:
            _log.warning("waits: %s", error, extra={"pause_s": pause_s})
            pause(pause_s)
            pause_s = min(PAUSE_MAX_S, pause_s * 2)


def beat_once(live_state: LiveState) -> None:
    """Say that the process lives; a live state that is down is no reason to die."""
    try:
        live_state.beat(COMPONENT, SystemClock().now(), BEAT_TTL_S)
    except LiveStateUnavailableError as error:
        _log.warning("no heartbeat: %s", error)


def _serve(settings: Settings, stop: threading.Event) -> None:
    warehouse, second = open_warehouse(settings), open_warehouse(settings)
    live_state = open_live_state(settings)
    looking = watch_tools(settings, second)
    watch = PositionWatch(lambda at: watch_positions(looking, stored_by=at), SystemClock())
    tools = drain_tools(settings, warehouse, f"{COMPONENT}@{socket.gethostname()}")
    drain = OutboxDrain(replace(tools, on_positions=watch.notify))
    waiting = (lambda: beat_once(live_state), stop.is_set, stop.wait)
    wait_for_schema(warehouse, *waiting)
    watch.start()
    run_drain(drain, *waiting)
    watch.stop()
    for client in (warehouse, second):
        client.close()


if __name__ == "__main__":
    sys.exit(main())
