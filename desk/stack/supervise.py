"""`python -m desk.stack.supervise`: the detached process that owns the services of one home folder.

It holds a lock as long as it lives, so there is one per home folder; writes the state after every change;
restarts what dies; on SIGTERM stops everything in the opposite order; on SIGHUP tries failed services again.
When it is killed itself, the services live on without a keeper: `desk up` recognizes them by their mark and
starts afresh.
"""

import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from adapters.configuration import load_settings
from desk.logs import log_to_file
from desk.stack.catalog import Catalog, build_catalog
from desk.stack.child import Child
from desk.stack.layout import StackLayout
from desk.stack.ports import PortReservations
from desk.stack.processes import MARK, identify
from desk.stack.state import ServiceState, ServiceStatus, StackState, write_state
from trading.errors import DeskError
from trading.settings import Settings

TICK_S = 0.1
LOG_BYTES_MAX = 50 * 1024 * 1024  # a service's log is cut in half of this beyond it
LOG_CHECK_S = 60.0
NOT_STARTED = 2
# What children must not inherit: addresses of other stacks, and what would change how Python and Dagster
# start.
NOT_INHERITED = (
    "CLICKHOUSE_URL",
    "CLICKHOUSE_READER_URL",
    "REDIS_URL",
    "DAGSTER_URL",
    "DAGSTER_HOME",
    "PYTHONPATH",
)

_log = logging.getLogger("desk.stack.supervise")


class Supervisor:
    """Keeps the services of a catalog running until told to stop."""

    def __init__(
        self, catalog: Catalog, layout: StackLayout, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        self._catalog = catalog
        self._layout = layout
        self._settings = settings
        inherited = {name: value for name, value in environment.items() if name not in NOT_INHERITED}
        inherited |= {MARK: str(layout.home), "PATH": _search_path(environment)}
        self._children = [
            Child(service, layout.log_file(service.name), inherited, layout.stack)
            for service in catalog.services
        ]
        self._stopping = False
        self._trying_again = False
        self._written: tuple[ServiceStatus, ...] = ()
        self._logs_checked_at = 0.0

    def run(self) -> None:
        """Supervise until SIGTERM or SIGINT, then stop everything."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_try_again)
        try:
            while not self._stopping:
                self._tick(time.monotonic())
                time.sleep(TICK_S)
        finally:
            self._stop()

    def _tick(self, now: float) -> None:
        if self._trying_again:
            self._trying_again = False
            for child in self._children:
                child.try_again()
        ready = frozenset(child.service.name for child in self._children if child.state is ServiceState.READY)
        for child in self._children:
            if not self._stopping:
                child.advance(now, ready)
        self._write_changes()
        if now - self._logs_checked_at > LOG_CHECK_S:
            self._logs_checked_at = now
            for child in self._children:
                shorten_log(self._layout.log_file(child.service.name))

    def _write_changes(self) -> None:
        statuses = tuple(child.status() for child in self._children)
        if statuses == self._written:
            return
        supervisor = identify(os.getpid())
        assert supervisor is not None
        state = StackState(
            supervisor=supervisor,
            services=statuses,
            external=self._catalog.external,
            configuration_hash=self._settings.configuration_hash,
        )
        write_state(self._layout.state_file, state)
        self._written = statuses

    def _stop(self) -> None:
        for child in reversed(self._children):
            child.stop()
            _log.info("stopped", extra={"service": child.service.name})
        self._layout.endpoints_file.unlink(missing_ok=True)
        self._layout.state_file.unlink(missing_ok=True)

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _on_try_again(self, _number: int, _frame: FrameType | None) -> None:
        self._trying_again = True


def shorten_log(path: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
    """Keep the newer half of a log that has grown too long; its writer appends and goes on at the new end."""
    if not path.exists() or path.stat().st_size <= bytes_max:
        return
    with path.open("r+b") as log:
        log.seek(-(bytes_max // 2), os.SEEK_END)
        newer = log.read()
        log.seek(0)
        log.write(newer)
        log.truncate()


def main() -> int:
    """Own the home folder of the settings; 2 when another supervisor does or something cannot be started."""
    settings = load_settings(with_stack=False)
    layout = StackLayout(settings.paths.home)
    layout.make_folders()
    log_to_file(layout.logs / "supervisor.jsonl")
    with layout.supervisor_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{layout.home}: another supervisor runs already", file=sys.stderr)
            return NOT_STARTED
        return _supervise(settings, layout)


def _supervise(settings: Settings, layout: StackLayout) -> int:
    try:
        reservations = PortReservations()  # held until this process ends
        catalog = build_catalog(settings, layout, reservations)
    except (DeskError, OSError) as error:
        print(error, file=sys.stderr)
        return NOT_STARTED
    Supervisor(catalog, layout, settings, os.environ).run()
    reservations.release()
    return 0


def _search_path(environment: Mapping[str, str]) -> str:
    """The environment's search path with our own scripts first: run workers look for `dagster` there."""
    return os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])


if __name__ == "__main__":
    sys.exit(main())
