"""The lease that every resident works under: who it is, waiting for it, saying that it was lost.

A second process connects to nothing, writes nothing and beats no heart until the first is gone. One that the
supervisor keeps stands by; one that a person started says who has the lease, and ends. Keep out: what a lease
is (`trading.services.hold_lease`), how older numbers are refused (`adapters.redis.market_fence`).
"""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from uuid import uuid4

from adapters.wiring import open_alerts, open_live_state
from desk.residents.life import beat_once, component_log
from desk.stack.processes import ProcessIdentity, identify, is_alive
from desk.stack.residents import STAND_BY
from trading.errors import FencedOutError, HeldElsewhereError, LiveStateUnavailableError
from trading.ports.alerts import Alerts
from trading.ports.live_state import Lease, LiveState
from trading.services.hold_lease import HeldLease
from trading.services.supervise import BROKER_RESIDENTS
from trading.settings import Settings

BEATS_HELD = 3  # a holder that says nothing for so many heartbeats is followed
PAUSE_S = 0.2  # between two looks of one that stands by
STANDS_BY_TOLD_AFTER = 2  # lives of a lease: a restart after a kill is no news
PATIENCE_BEYOND_S = 1.0  # the life of a lease: by then one of a process that is gone ran out
MACHINE = Path("/proc/sys/kernel/random/boot_id")  # another after each start of the machine
NAME_PARTS_BEFORE_HOST = 4
PROCESSES = Path("/proc/self/ns/pid")  # a container counts its processes by itself


def writer_lease(settings: Settings, component: str) -> HeldLease:
    """The lease of this process as the component's writer."""
    is_of_fills = component in BROKER_RESIDENTS
    beats = settings.broker.heartbeat_every_s if is_of_fills else settings.ingest.heartbeat_every_s
    state = open_live_state(settings)
    return HeldLease(state, component, this_process(), BEATS_HELD * beats, is_dead, shown_name)


def this_process() -> str:
    """A name that no other process ever has; who has the same processes can tell whether it lives."""
    own = identify(os.getpid())
    began = 0.0 if own is None else own.started_at
    return f"{_where()}/{os.getpid()}/{began:.2f}/{uuid4().hex[:8]}/{socket.gethostname()}"


def shown_name(owner: str) -> str:
    """Such a name for people."""
    parts = owner.split("/")
    return f"process {parts[1]} on {parts[-1]}" if len(parts) > NAME_PARTS_BEFORE_HOST else owner


def is_dead(owner: str) -> bool:
    """Whether the process of this name ran beside this one and is gone; False where that is not known."""
    where, _, rest = owner.partition("/")
    if not where or where != _where():
        return False
    try:
        pid, began, *_ = rest.split("/")
        return not is_alive(ProcessIdentity(int(pid), float(began)))
    except ValueError:
        return False


def begin(
    settings: Settings,
    lease: HeldLease,
    is_stopping: Callable[[], bool],
    *,
    needs_live_state: bool,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Take the lease of this process, or wait for it as its starter wants; False where it is to end."""
    return stand_by(
        lease,
        open_alerts(settings, f"{lease.component} that waits"),
        is_stopping,
        needs_live_state=needs_live_state,
        patience_s=patience_of(lease),
        pause=pause,
    )


def stand_by(
    lease: HeldLease,
    alerts: Alerts,
    is_stopping: Callable[[], bool],
    *,
    needs_live_state: bool,
    patience_s: float | None = None,
    pause: Callable[[float], object] = time.sleep,
) -> bool:
    """Wait until this process may write; False where it is to end. `alerts` are not those of its work.

    Who can hear without a live state begins without one, and takes the lease when it is there. Raises
    HeldElsewhereError where another process still has the lease after `patience_s`; None waits for ever.
    """
    told = _Told(lease, alerts, time.monotonic())
    while not is_stopping():
        try:
            if lease.take() is not None:
                alerts.end_alert(told.code, "it writes now")
                return True
            told.waits(patience_s)
        except LiveStateUnavailableError as error:
            if not needs_live_state:
                return True
            component_log(lease.component).warning("waits: %s", error)
        pause(PAUSE_S)
    told.ends()
    return False


def patience_of(lease: HeldLease, arguments: Sequence[str] | None = None) -> float | None:
    """How long a process waits for the lease: one that a supervisor keeps for ever, a person's for as long as
    a lease of somebody who was killed elsewhere goes on.
    """
    stands_by = STAND_BY in (sys.argv if arguments is None else arguments)
    return None if stands_by else lease.ttl_s + PATIENCE_BEYOND_S


@dataclass(slots=True)
class _Told:
    """What one that waits has said so far."""

    lease: HeldLease
    alerts: Alerts
    since: float
    is_logged: bool = False
    is_alerted: bool = False

    @property
    def code(self) -> str:
        return f"stands_by-{self.lease.component}"

    def waits(self, patience_s: float | None) -> None:
        waited, log = time.monotonic() - self.since, component_log(self.lease.component)
        if patience_s is not None and waited > patience_s:
            text = f"{self.lease.component} is held by {self.lease.holder()}; end that one first"
            raise HeldElsewhereError(text)
        if not self.is_logged:
            self.is_logged = True
            log.warning("waits: it is held by %s", self.lease.holder())
        if patience_s is None and not self.is_alerted and waited > STANDS_BY_TOLD_AFTER * self.lease.ttl_s:
            self.is_alerted = True
            text = f"another process works ({self.lease.holder()}); this one waits until it is gone"
            self.alerts.raise_alert(self.code, text)

    def ends(self) -> None:
        if self.is_alerted:
            self.alerts.end_alert(self.code, "it was told to end")


@contextmanager
def held(lease: HeldLease, alerts: Alerts) -> Iterator[None]:
    """Give the lease back at the end; where it was lost, say so once before the process ends."""
    try:
        yield
    except FencedOutError as error:
        told = _by_whom(lease, error)
        alerts.raise_alert(f"fenced_out-{lease.component}", str(told))
        raise told from error
    finally:
        lease.give_back()


def _by_whom(lease: HeldLease, error: FencedOutError) -> FencedOutError:
    """The same with the successor's name: a refused write knows its number, a lease that is gone nothing."""
    try:
        holder = lease.holder()
    except LiveStateUnavailableError:
        holder = "another process"
    return FencedOutError(f"{error}; {holder} has the lease")


class Fenced(Protocol):
    """What writes under the number of a lease, and keeps older numbers out."""

    def take_over(self, lease: Lease) -> object:
        """Write under this lease from now on."""


Sink = TypeVar("Sink", bound=Fenced)


@dataclass(slots=True)
class FencedAlerts:
    """The alerts of a resident whose other writes need no number: what they write again is the same."""

    alerts: Alerts
    is_followed_up: bool = False

    def take_over(self, lease: Lease) -> None:
        """Keep out who was before, and end what it left open."""
        self.alerts.fence(lease.fencing)
        if not self.is_followed_up:
            self.is_followed_up = True
            self.alerts.take_over()


@dataclass(slots=True)
class KeptWriter(Generic[Sink]):
    """A sink that writes under a lease; one thread's."""

    lease: HeldLease
    sink: Sink
    under: Lease | None = None
    due_at: float = 0.0

    def take_over(self) -> Lease:
        """Keep the lease, and write under its number; raises FencedOutError where another has it."""
        kept = self.lease.keep()
        if kept != self.under:
            self.sink.take_over(kept)
            self.under = kept
        return kept

    def keep(self) -> None:
        """The same again and again; a live state that is away is waited for."""
        try:
            self.take_over()
        except LiveStateUnavailableError as error:
            component_log(self.lease.component).warning("lease not kept: %s", error)

    def keep_when_due(self) -> None:
        """The same for a loop that comes by more often."""
        now = time.monotonic()
        if now >= self.due_at:
            self.due_at = now + self.lease.every_s
            self.keep()


def beat_under(writer: KeptWriter[Sink], live_state: LiveState) -> Callable[[], None]:
    """What a loop does at every turn: keep the lease, and only then say that the process lives."""

    def beat() -> None:
        writer.keep_when_due()
        beat_once(live_state, writer.lease.component)

    return beat


def _where() -> str:
    try:
        return f"{MACHINE.read_text().strip()}-{PROCESSES.readlink().name}"
    except OSError:
        return ""
