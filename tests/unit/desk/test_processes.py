"""Knowing processes again."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from desk.stack.processes import (
    MARK,
    ProcessIdentity,
    end_processes,
    identify,
    is_alive,
    marked_processes,
)

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); "
    "time.sleep(60)",
]


def started(command: list[str], mark: str = "") -> subprocess.Popen[str]:
    """A process that has begun to sleep."""
    process = subprocess.Popen(command, env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_recycled_pid_is_not_taken_for_the_process() -> None:
    """The same pid with another start time is a stranger."""
    mine = identify(os.getpid())
    assert mine is not None
    assert is_alive(mine)
    assert not is_alive(ProcessIdentity(mine.pid, mine.started_at - 3600))


def test_a_process_that_has_ended_is_not_alive() -> None:
    """Neither a zombie nor a reaped process counts, and no identity means not alive."""
    process = started(SLEEP)
    identity = identify(process.pid)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(identity)  # a zombie
    process.wait()
    assert not is_alive(identity)
    assert not is_alive(None)


def test_the_processes_of_one_home_are_found_by_their_mark(tmp_path: Path) -> None:
    """A process of another home is not among them."""
    mine, other = started(SLEEP, str(tmp_path)), started(SLEEP, str(tmp_path / "other"))
    try:
        assert [process.pid for process in marked_processes(tmp_path)] == [mine.pid]
    finally:
        for process in (mine, other):
            process.kill()
            process.wait()


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    """After the grace nothing is left, and the caller learns how many were stubborn."""
    meek, stubborn = started(SLEEP), started(STUBBORN)
    killed = end_processes([psutil.Process(meek.pid), psutil.Process(stubborn.pid)], grace_s=1.0)
    assert killed == 1
    assert identify(meek.pid) is None
    assert identify(stubborn.pid) is None
