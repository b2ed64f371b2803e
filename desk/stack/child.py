"""One service under supervision: started, asked, restarted after its death with a bounded, growing delay.

The states and what moves them:
    waiting --needs are ready--> starting --answers--> ready --process ends--> restarting --delay over-->
    starting starting --process ends--> restarting;  restarting --too many deaths in the window--> failed
Called once per tick with the time handed in; never blocks longer than one readiness question.
"""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import psutil

from desk.stack.ports import is_served_by
from desk.stack.processes import ProcessIdentity, end_processes, identify
from desk.stack.service import Service
from desk.stack.state import ServiceState, ServiceStatus

RESTART_DELAYS_S = (0.2, 0.5, 1.0, 2.0, 3.0)  # back within 5 s, and never a busy loop
DEATHS_MAX = 12  # within the window; beyond it the service needs a person
DEATH_WINDOW_S = 300.0
CALM_S = 60.0  # a service that held this long starts again with the shortest delay
LOG_TAIL_BYTES = 2000

_log = logging.getLogger("desk.stack.child")


class Child:
    """A service and its process."""

    def __init__(
        self, service: Service, log_file: Path, environment: Mapping[str, str], folder: Path
    ) -> None:
        self.service = service
        self.state = ServiceState.WAITING
        self.restarts = 0
        self.detail = ""
        self._log_file = log_file
        self._environment = {**environment, **service.environment}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: ProcessIdentity | None = None
        self._started_s = 0.0
        self._started_at = 0.0  # since the epoch: beats are told so
        self._start_again_s = 0.0
        self._deaths: deque[float] = deque(maxlen=DEATHS_MAX)

    def advance(self, now: float, ready: frozenset[str]) -> None:
        """Move to the next state if something happened; `now` in seconds of a clock that nobody sets."""
        if self.state in (ServiceState.STARTING, ServiceState.READY) and self._has_ended():
            self._note_death(now)
        elif self.state is ServiceState.STARTING and self._answers():
            self.state, self.detail = ServiceState.READY, ""
            _log.info(
                "ready", extra={"service": self.service.name, "after_s": round(now - self._started_s, 2)}
            )
        elif self.state is ServiceState.WAITING and ready.issuperset(self.service.needs):
            self._start(now)
        elif self.state is ServiceState.RESTARTING and now >= self._start_again_s:
            self.restarts += 1
            self._start(now)

    def try_again(self) -> None:
        """Forget the deaths of a failed service: a person says it is mended."""
        if self.state is ServiceState.FAILED:
            self._deaths.clear()
            self.state = ServiceState.WAITING

    def stop(self) -> None:
        """SIGTERM, and after the grace SIGKILL to it and all its descendants."""
        process, self._process = self._process, None
        if process is None:
            self.state = ServiceState.STOPPED
            return
        descendants = _descendants(process.pid)
        process.terminate()
        try:
            process.wait(self.service.stop_grace_s)
        except subprocess.TimeoutExpired:
            _log.warning("killed, it did not end in time", extra={"service": self.service.name})
            process.kill()
            process.wait()
        end_processes(descendants, grace_s=1.0)
        self.state, self._identity = ServiceState.STOPPED, None

    def status(self) -> ServiceStatus:
        """What to tell others."""
        service = self.service
        return ServiceStatus(
            name=service.name, state=self.state, process=self._identity, port=service.port, url=service.url,
            restarts=self.restarts, log=str(self._log_file), detail=self.detail,
        )  # fmt: skip

    def _start(self, now: float) -> None:
        self._started_s, self._started_at = now, time.time()
        with self._log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.service.command,
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal that ran `desk up` is none of its business
            )
        if self.service.niceness:  # before it has threads: they inherit it
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, self.service.niceness)
        self._identity = identify(self._process.pid)
        self.state = ServiceState.STARTING
        _log.info("started", extra={"service": self.service.name, "pid": self._process.pid})

    def _answers(self) -> bool:
        if not self.service.is_ready(self._started_at) or self._process is None:
            return False
        return self.service.port is None or is_served_by(self._process.pid, self.service.port)

    def _has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _note_death(self, now: float) -> None:
        code = self._process.returncode if self._process else None
        self.detail = f"{_ending(code)}; last words: {self._last_words()}"
        if now - self._started_s > CALM_S:
            self._deaths.clear()
        self._deaths.append(now)
        recent = sum(1 for death in self._deaths if now - death <= DEATH_WINDOW_S)
        if recent >= DEATHS_MAX:
            self.state = ServiceState.FAILED
        else:
            self.state = ServiceState.RESTARTING
            self._start_again_s = now + RESTART_DELAYS_S[min(recent, len(RESTART_DELAYS_S)) - 1]
        self._identity = None
        _log.warning(
            "died", extra={"service": self.service.name, "state": self.state.value, "reason": self.detail}
        )

    def _last_words(self) -> str:
        try:
            with self._log_file.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip() if lines else "none"


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
