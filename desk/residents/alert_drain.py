"""Alerts on their way to the warehouse, beside a drain: in a thread of its own, so that no fill waits.

Every drain has one: which of them runs depends on what the home is asked to do, and two of them store what
one would. A service that is away is waited for. Keep out: what is stored.
"""

import logging
import threading
from collections.abc import Callable

from trading.errors import DeskError

EVERY_S = 2.0  # an alert that a flushed live state loses is at most so old
STOP_S = 5.0

_log = logging.getLogger("desk.alerts")


class AlertDrain:
    """Calls `drain` again and again until it is stopped, and a last time then."""

    def __init__(self, drain: Callable[[], int], every_s: float = EVERY_S) -> None:
        self._drain, self._every_s = drain, every_s
        self._stopping = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._work, name="alert-drain", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after a last round."""
        self._stopping.set()
        self._thread.join(STOP_S)

    def _work(self) -> None:
        while not self._stopping.is_set():
            if not self._round():
                self._stopping.wait(self._every_s)
        self._round()

    def _round(self) -> int:
        """What was stored; nothing where a service is away, which is logged once."""
        try:
            stored = self._drain()
            self._told = ""
        except DeskError as error:
            if str(error) != self._told:
                _log.warning("alerts_wait %s", error)
            self._told = str(error)
            return 0
        return stored
