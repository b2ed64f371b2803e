"""The watch over positions beside the drain: in a thread of its own, so that no fill waits for a comparison.

`notify` says up to when everything is stored and that a complete answer is among it; the thread looks as
often as it can, and never at answers that were stored later. A look that fails is repeated.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from trading.errors import DeskError

RETRY_S = 1.0
STOP_S = 5.0

_log = logging.getLogger("desk.positions")


class PositionWatch:
    """Runs `look` after each `notify`, with the moment up to which everything was stored."""

    def __init__(self, look: Callable[[datetime], object]) -> None:
        self._look = look
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._stored_by: datetime | None = None
        self._thread = threading.Thread(target=self._work, name="position-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def notify(self, stored_by: datetime) -> None:
        """A complete answer and, up to this moment, all with its fills are stored; never waits."""
        self._stored_by = stored_by
        self._due.set()

    def stop(self) -> None:
        """End after the look in hand."""
        self._stopping.set()
        self._due.set()
        self._thread.join(STOP_S)

    def _work(self) -> None:
        while True:
            self._due.wait()
            if self._stopping.is_set():
                return
            self._due.clear()
            if self._stored_by is not None and not self._looked(self._stored_by):
                self._stopping.wait(RETRY_S)
                self._due.set()

    def _looked(self, stored_by: datetime) -> bool:
        try:
            self._look(stored_by)
        except DeskError as error:
            _log.warning("positions_not_watched error=%s", error)
            return False
        return True
