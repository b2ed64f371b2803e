"""The market's drain as a process: takes what was heard of the market into the warehouse until told to stop.

`python -m desk.residents.market_drain`; the stack starts it where the market is listened to. It has a process
of its own, so that a burst of quotes never delays a fill. SIGTERM and SIGINT end it after the batch in hand.
After a kill, what it held is given to it again under its name; where that never comes back, another one
claims it. While a service is down it waits, and the outbox keeps everything.
"""

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.wiring import market_drain_tools, open_live_state, open_market_warehouse
from desk.logs import log_to_console
from desk.residents.schema import wait_for_schema
from trading.errors import DeskError, LiveStateUnavailableError
from trading.ports.live_state import LiveState
from trading.services.drain_market import PAUSE_S, MarketDrain
from trading.settings import Settings

COMPONENT = "market-drain"
FAILED = 1
READ_WAIT_S = 1.0
BEAT_TTL_S = 15
LAST_ROUNDS_MAX = 5  # at the end; what is left after them waits for the next drain
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
        _serve(load_settings(), stop)
    except DeskError as error:
        _log.error("ended: %s", error)
        return FAILED
    return 0


def run_market_drain(
    drain: MarketDrain,
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Drain until `stopping`: larger batches are cheaper, so there is a pause after one that was not full."""
    pause_s = PAUSE_FIRST_S
    while not stopping():
        beat()
        try:
            report = drain.drain_once(READ_WAIT_S)
            pause_s = PAUSE_FIRST_S
            if report.blocks and not report.is_full:
                pause(PAUSE_S)
        except DeskError as error:
            _log.warning("waits: %s", error, extra={"pause_s": pause_s})
            pause(pause_s)
            pause_s = min(PAUSE_MAX_S, pause_s * 2)
    _drain_the_rest(drain)


def _drain_the_rest(drain: MarketDrain) -> None:
    """Who hears the market has ended before: what it told last is stored now, not when somebody is back."""
    for _ in range(LAST_ROUNDS_MAX):
        try:
            if not drain.drain_once(0.0).blocks:
                return
        except DeskError as error:
            _log.warning("left for the next drain: %s", error)
            return


def _beat_once(live_state: LiveState) -> None:
    """Say that the process lives; a live state that is down is no reason to die."""
    try:
        live_state.beat(COMPONENT, SystemClock().now(), BEAT_TTL_S)
    except LiveStateUnavailableError as error:
        _log.warning("no heartbeat: %s", error)


def _serve(settings: Settings, stop: threading.Event) -> None:
    warehouse = open_market_warehouse(settings)
    live_state = open_live_state(settings)
    drain = MarketDrain(market_drain_tools(settings, warehouse, f"{COMPONENT}@{socket.gethostname()}"))
    waiting = (lambda: _beat_once(live_state), stop.is_set, stop.wait)
    wait_for_schema(warehouse, *waiting)
    run_market_drain(drain, *waiting)
    warehouse.close()


if __name__ == "__main__":
    sys.exit(main())
