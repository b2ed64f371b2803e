"""`up`, `down` and `status` of the embedded stack, safe to call twice and at once.

Belongs here: the one lock of the commands, stale state, deadlines. Keep out: how services run
(`supervise.py`), what people read (`desk/commands`).
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psutil

from desk.stack.catalog import external_services
from desk.stack.layout import StackLayout
from desk.stack.ports import LOOPBACK, accepts_connections
from desk.stack.processes import MARK, end_processes, is_alive, marked_processes
from desk.stack.residents import wanted_residents
from desk.stack.state import ServiceState, StackState, read_state
from trading.errors import ConfigurationError, TransientError
from trading.settings import Settings

COMMAND_LOCK_WAIT_S = 600.0  # another `desk up` may be starting the same stack, until its own deadline
STOP_DEADLINE_S = 200.0  # the sum of the services' graces, and some
LEFTOVER_GRACE_S = 10.0
POLL_S = 0.1
LOG_TAIL_LINES = 5

Watcher = Callable[[StackState], None]


class StackNotReadyError(TransientError):
    """A service did not become ready; the message names it, says why and where to look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpReport:
    """What `desk up` did."""

    state: StackState
    was_running: bool
    leftovers_ended: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DownReport:
    """What `desk down` did."""

    was_running: bool
    leftovers_ended: int
    ports_still_open: tuple[int, ...]


def bring_up(configured: Settings, environment: Mapping[str, str], watch: Watcher | None = None) -> UpReport:
    """Start what does not run and wait until all of it is ready; does nothing where all of it runs.

    `configured` are settings read without the stack's addresses. Raises StackNotReadyError at the deadline.
    """
    layout = StackLayout(configured.paths.home)
    layout.make_folders()
    began = time.monotonic()
    with _command_lock(layout):
        state = current_state(layout)
        ended = 0
        if state is None:
            ended = _end_leftovers(layout)
            supervisor = _spawn_supervisor(layout, environment)
        else:
            supervisor = None
            _check_same_services(state, configured)
            os.kill(state.supervisor.pid, signal.SIGHUP)  # failed services are tried again
        ready = _wait_until_ready(layout, supervisor, configured.stack.start_deadline_s, watch)
        return UpReport(
            state=ready,
            was_running=state is not None,
            leftovers_ended=ended,
            seconds=time.monotonic() - began,
        )


def bring_down(configured: Settings) -> DownReport:
    """Stop the services in order, end what is left of them, and look at the ports."""
    layout = StackLayout(configured.paths.home)
    if not layout.home.exists():
        return DownReport(was_running=False, leftovers_ended=0, ports_still_open=())
    layout.make_folders()
    with _command_lock(layout):
        last = read_state(layout.state_file)
        state = current_state(layout)
        if state is not None:
            _stop_supervisor(state)
        ended = _end_leftovers(layout)
        ports = [service.port for service in last.services if service.port] if last else []
        still_open = tuple(port for port in ports if accepts_connections(LOOPBACK, port))
        return DownReport(was_running=state is not None, leftovers_ended=ended, ports_still_open=still_open)


def current_state(layout: StackLayout) -> StackState | None:
    """The state of a stack whose supervisor lives; None when there is none (a stale file counts as none)."""
    state = read_state(layout.state_file)
    return state if state is not None and state.is_supervised else None


@contextlib.contextmanager
def _command_lock(layout: StackLayout) -> Iterator[None]:
    deadline = time.monotonic() + COMMAND_LOCK_WAIT_S
    with layout.command_lock.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise StackNotReadyError(
                        f"{layout.command_lock}: another `desk up` or `desk down` holds it since "
                        f"{COMMAND_LOCK_WAIT_S:.0f} s"
                    ) from error
                time.sleep(POLL_S)
        yield


def _check_same_services(state: StackState, configured: Settings) -> None:
    wanted = external_services(configured)
    if set(wanted) != set(state.external):
        raise ConfigurationError(
            f"the stack runs with external services {list(state.external)}, the environment now asks for "
            f"{list(wanted)}: run `desk down` first"
        )
    missing = [name for name in wanted_residents(configured) if state.service(name) is None]
    if missing:
        raise ConfigurationError(f"the stack runs without {', '.join(missing)}: run `desk down` first")


def _spawn_supervisor(layout: StackLayout, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    layout.state_file.unlink(missing_ok=True)
    with layout.log_file("supervisor").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "desk.stack.supervise"],
            env={**environment, "DESK_HOME": str(layout.home), MARK: str(layout.home)},
            cwd=layout.stack,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_ready(
    layout: StackLayout, supervisor: subprocess.Popen[bytes] | None, deadline_s: float, watch: Watcher | None
) -> StackState:
    deadline = time.monotonic() + deadline_s
    state = None
    while time.monotonic() < deadline:
        state = current_state(layout)
        if state is not None:
            if watch is not None:
                watch(state)
            if state.is_ready:
                return state
            _raise_if_failed(state)
        elif supervisor is not None and supervisor.poll() is not None:
            raise StackNotReadyError(_tail(layout, "supervisor"))
        time.sleep(POLL_S)
    raise StackNotReadyError(_unready(layout, state, deadline_s))


def _raise_if_failed(state: StackState) -> None:
    for service in state.services:
        if service.state is ServiceState.FAILED:
            raise StackNotReadyError(f"{service.name} keeps ending: {service.detail}; see {service.log}")


def _unready(layout: StackLayout, state: StackState | None, deadline_s: float) -> str:
    if state is None:
        return f"the supervisor did not report within {deadline_s:.0f} s; {_tail(layout, 'supervisor')}"
    names = [
        f"{service.name} ({service.state.value}; {service.detail or 'see ' + service.log})"
        for service in state.services
        if service.state is not ServiceState.READY
    ]
    return f"not ready within {deadline_s:.0f} s: {', '.join(names)}"


def _tail(layout: StackLayout, name: str) -> str:
    path = layout.log_file(name)
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    return f"{name}: {' | '.join(lines[-LOG_TAIL_LINES:]) or 'ended without a word'} (log: {path})"


def _stop_supervisor(state: StackState) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(state.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_DEADLINE_S
    while is_alive(state.supervisor) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    if is_alive(state.supervisor):
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.supervisor.pid, signal.SIGKILL)


def _end_leftovers(layout: StackLayout) -> int:
    """End what a killed supervisor or a stopped code server left behind, and remove the stale files."""
    leftovers: list[psutil.Process] = marked_processes(layout.home)
    if leftovers:
        end_processes(leftovers, LEFTOVER_GRACE_S)
    layout.state_file.unlink(missing_ok=True)
    layout.endpoints_file.unlink(missing_ok=True)
    return len(leftovers)
