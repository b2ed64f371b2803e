"""Services that live as long as the command that needs them: started, restarted after a death, stopped.

The stack's supervisor owns what runs for good; this keeps the residents of one live session beside it, with
the same rules for readiness and restarts. They carry the home's mark: if the command is killed, `desk down`
and `desk up` end what it left behind. Keep out: which services, and what is done with them.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from desk.stack.child import Child
from desk.stack.layout import StackLayout
from desk.stack.processes import MARK
from desk.stack.service import Service
from desk.stack.state import ServiceState, ServiceStatus
from trading.errors import TransientError

TICK_S = 0.1
STOP_WAIT_S = 60.0


class ServiceNotReadyError(TransientError):
    """A service did not become ready; the message names it and says where to look."""


class AttendedServices:
    """A context in which the services run; a thread of its own looks after them."""

    def __init__(
        self,
        services: Sequence[Service],
        layout: StackLayout,
        environment: Mapping[str, str],
        already_ready: frozenset[str],
    ) -> None:
        marked = {**environment, MARK: str(layout.home)}
        self._children = [
            Child(service, layout.log_file(service.name), marked, layout.stack) for service in services
        ]
        self._already_ready = already_ready
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attended services", daemon=True)

    def __enter__(self) -> Self:
        """Start them; `wait_until_ready` says when they are there."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them in the opposite order."""
        self._ending.set()
        self._thread.join(STOP_WAIT_S)

    def statuses(self) -> tuple[ServiceStatus, ...]:
        """How each of them stands."""
        return tuple(child.status() for child in self._children)

    def wait_until_ready(self, deadline_s: float) -> None:
        """Raises ServiceNotReadyError at the deadline, or as soon as one keeps ending."""
        deadline = time.monotonic() + deadline_s
        while True:
            unready = [status for status in self.statuses() if status.state is not ServiceState.READY]
            if not unready:
                return
            failed = [status for status in unready if status.state is ServiceState.FAILED]
            if failed or time.monotonic() > deadline:
                worst = (failed or unready)[0]
                why = worst.detail or worst.state.value
                raise ServiceNotReadyError(f"{worst.name} is not ready: {why}; see {worst.log}")
            time.sleep(TICK_S)

    def _attend(self) -> None:
        while not self._ending.wait(TICK_S):
            ready = {child.service.name for child in self._children if child.state is ServiceState.READY}
            for child in self._children:
                child.advance(time.monotonic(), self._already_ready | ready)
        for child in reversed(self._children):
            child.stop()
