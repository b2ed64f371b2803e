"""The lease of a resident that writes the live market: who it is, waiting for it, saying that it was lost.

A second process stands by: it connects to nothing and beats no heart until the first is gone. Keep out: what
a lease is (`trading.services.hold_lease`), how older numbers are refused (`adapters.redis.market_fence`).
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from adapters.wiring import open_live_state
from desk.residents.life import component_log
from desk.stack.processes import ProcessIdentity, identify, is_alive
from trading.errors import FencedOutError, LiveStateUnavailableError
from trading.ports.alerts import Alerts
from trading.ports.live_state import Lease
from trading.ports.market_state import MarketSink
from trading.services.hold_lease import HeldLease
from trading.settings import Settings

BEATS_HELD = 3  # a holder that says nothing for so many heartbeats is followed
PAUSE_S = 0.2  # between two looks of one that stands by
STANDS_BY_TOLD_AFTER = 2  # lives of a lease: a restart after a kill is no news
MACHINE = Path("/proc/sys/kernel/random/boot_id")  # another after each start of the machine
PROCESSES = Path("/proc/self/ns/pid")  # a container counts its processes by itself


def writer_lease(settings: Settings, component: str) -> HeldLease:
    """The lease of this process as the component's writer."""
    ttl_s = BEATS_HELD * settings.ingest.heartbeat_every_s
    return HeldLease(open_live_state(settings), component, this_process(), ttl_s, is_dead)


def this_process() -> str:
    """A name that no other process ever has; who has the same processes can tell whether it lives."""
    own = identify(os.getpid())
    began = 0.0 if own is None else own.started_at
    return f"{_where()}/{os.getpid()}/{began:.2f}/{uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """Whether the process of this name ran beside this one and is gone; False where that is not known."""
    where, _, rest = owner.partition("/")
    if not where or where != _where():
        return False
    try:
        pid, began, _ = rest.split("/")
        return not is_alive(ProcessIdentity(int(pid), float(began)))
    except ValueError:
        return False


def stand_by(
    lease: HeldLease,
    alerts: Alerts,
    is_stopping: Callable[[], bool],
    *,
    needs_live_state: bool,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Wait until this process may write; False where it is to end.

    Who can hear without a live state begins without one, and takes the lease when it is there.
    """
    log, since, is_told = component_log(lease.component), time.monotonic(), False
    code = f"stands_by-{lease.component}"
    while not is_stopping():
        try:
            if lease.take() is not None:
                alerts.end_alert(code, "it writes now")
                return True
            if not is_told and time.monotonic() - since > STANDS_BY_TOLD_AFTER * lease.ttl_s:
                is_told = True
                text = f"another process writes ({lease.holder()}); this one waits until it is gone"
                log.warning("stands by: %s", text)
                alerts.raise_alert(code, text)
        except LiveStateUnavailableError as error:
            if not needs_live_state:
                return True
            log.warning("waits: %s", error)
        pause(PAUSE_S)
    if is_told:
        alerts.end_alert(code, "it was told to end")
    return False


@contextmanager
def held(lease: HeldLease, alerts: Alerts) -> Iterator[None]:
    """Give the lease back at the end; where it was lost, say so once before the process ends."""
    try:
        yield
    except FencedOutError as error:
        alerts.raise_alert(f"fenced_out-{lease.component}", str(error))
        raise
    finally:
        lease.give_back()


@dataclass(slots=True)
class KeptWriter:
    """A sink that writes under a lease; one thread's."""

    lease: HeldLease
    sink: MarketSink
    under: Lease | None = None

    def take_over(self) -> None:
        """Keep the lease, and write under its number; raises FencedOutError where another has it."""
        kept = self.lease.keep()
        if kept != self.under:
            self.sink.take_over(kept)
            self.under = kept

    def keep(self) -> None:
        """The same again and again; a live state that is away is waited for."""
        try:
            self.take_over()
        except LiveStateUnavailableError as error:
            component_log(self.lease.component).warning("lease not kept: %s", error)


def _where() -> str:
    try:
        return f"{MACHINE.read_text().strip()}-{PROCESSES.readlink().name}"
    except OSError:
        return ""
