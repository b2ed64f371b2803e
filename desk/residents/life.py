"""What every resident process does alike: begin, end at a signal, say that it lives, wait for what is down.

Belongs here: the life around the work. Keep out: the work, and the broker's client
library (`session_life`), which most of them do not need.
"""

import logging
import signal
import threading
from collections.abc import Callable

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from desk.logs import log_to_console
from desk.residents.heap import keep_heap_small
from trading.errors import DeskError, HeldElsewhereError, LiveStateUnavailableError
from trading.ports.live_state import LiveState
from trading.settings import Settings

FAILED = 1
HELD_ELSEWHERE = 3  # another process does the work: who has it, and since when, is in the last line
SIGNALS = (signal.SIGTERM, signal.SIGINT)
BEAT_TTL_S = 15
PAUSE_FIRST_S = 0.2
PAUSE_MAX_S = 5.0  # a service that comes back is noticed within this time


def run_until_signal(component: str, serve: Callable[[Settings, threading.Event], object]) -> int:
    """Serve until a signal sets the event; returns the process's exit code."""
    keep_heap_small()
    log_to_console(logging.INFO)
    stop = threading.Event()
    for number in SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    try:
        serve(load_settings(), stop)
    except DeskError as error:
        return exit_code(component, error)
    return 0


def exit_code(component: str, error: DeskError) -> int:
    """Say why a resident ends; the code tells a second one from a failure."""
    component_log(component).error("ended: %s", error)
    return HELD_ELSEWHERE if isinstance(error, HeldElsewhereError) else FAILED


def beat_once(live_state: LiveState, component: str) -> None:
    """Say that the process lives; a live state that is down is no reason to die."""
    try:
        live_state.beat(component, SystemClock().now(), BEAT_TTL_S)
    except LiveStateUnavailableError as error:
        component_log(component).warning("no heartbeat: %s", error)


def repeat(
    component: str,
    step: Callable[[], float],
    beat: Callable[[], None],
    stopping: Callable[[], bool],
    pause: Callable[[float], object],
) -> None:
    """Do a step until `stopping`, and rest for what it returns.

    An error of ours is a service that is down or refuses: it is waited for, ever longer up to PAUSE_MAX_S.
    """
    pause_s = PAUSE_FIRST_S
    while not stopping():
        beat()
        try:
            rest_s = step()
            pause_s = PAUSE_FIRST_S
            if rest_s:
                pause(rest_s)
        except DeskError as error:
            component_log(component).warning("waits: %s", error, extra={"pause_s": pause_s})
            pause(pause_s)
            pause_s = min(PAUSE_MAX_S, pause_s * 2)


def component_log(component: str) -> logging.Logger:
    """The logger of a resident."""
    return logging.getLogger(f"desk.{component}")
