"""One supervised process, driven tick by tick with a clock of our own."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from desk.stack.child import DEATHS_MAX, RESTART_DELAYS_S, Child
from desk.stack.service import Service
from desk.stack.state import ServiceState

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DIE = (sys.executable, "-c", "print('no room on the disk'); raise SystemExit(3)")
NONE: frozenset[str] = frozenset()


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """Children that are stopped after the test."""
    made: list[Child] = []
    yield made
    for child in made:
        child.stop()


def child_of(
    children: list[Child], folder: Path, command: tuple[str, ...], *, needs: tuple[str, ...] = ()
) -> Child:
    """A child without a port that is ready as soon as it runs."""
    service = Service(name="service", command=command, environment={}, needs=needs, is_ready=lambda _: True)
    child = Child(service, folder / "service.log", {}, folder)
    children.append(child)
    return child


def state_of(child: Child) -> ServiceState:
    """Where it stands now."""
    return child.status().state


def pid_of(child: Child) -> int:
    """The running process."""
    process = child.status().process
    assert process is not None
    return process.pid


def wait_for_end(pid: int) -> None:
    """Until the process has ended; its parent, this one, has not reaped it."""
    for _ in range(3_000):  # a minute
        if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.02)
    raise AssertionError("did not end")


def test_a_service_gives_way_as_far_as_it_is_told_to(tmp_path: Path) -> None:
    """Its niceness is on top of nothing else: a restart is as nice as the first start."""
    service = Service(name="nice", command=SLEEP, environment={}, is_ready=lambda _: True, niceness=5)
    child = Child(service, tmp_path / "service.log", {}, tmp_path)
    try:
        child.advance(0.0, NONE)
        assert psutil.Process(pid_of(child)).nice() == 5
    finally:
        child.stop()


def test_a_service_waits_for_what_it_needs(children: list[Child], tmp_path: Path) -> None:
    """It starts only when everything it needs is ready."""
    child = child_of(children, tmp_path, SLEEP, needs=("redis", "warehouse"))
    child.advance(0.0, frozenset({"redis"}))
    assert state_of(child) is ServiceState.WAITING
    child.advance(0.1, frozenset({"redis", "warehouse"}))
    assert state_of(child) is ServiceState.STARTING
    child.advance(0.2, NONE)
    assert state_of(child) is ServiceState.READY


def test_a_killed_service_is_started_again_after_a_short_delay(children: list[Child], tmp_path: Path) -> None:
    """Dead at one tick, restarted within five seconds of it, under another pid."""
    child = child_of(children, tmp_path, SLEEP)
    child.advance(0.0, NONE)
    child.advance(0.1, NONE)
    pid = pid_of(child)
    psutil.Process(pid).kill()
    wait_for_end(pid)
    child.advance(1.0, NONE)
    assert state_of(child) is ServiceState.RESTARTING
    assert "SIGKILL" in child.detail
    child.advance(1.0 + RESTART_DELAYS_S[0], NONE)
    assert state_of(child) is ServiceState.STARTING
    assert pid_of(child) != pid
    assert child.restarts == 1


def test_a_service_that_keeps_dying_is_given_up_and_says_why(children: list[Child], tmp_path: Path) -> None:
    """The number of restarts is bounded; its last words are kept; a person can have it tried again."""
    child = child_of(children, tmp_path, DIE)
    now = 0.0
    for _ in range(DEATHS_MAX * 3):
        child.advance(now, NONE)
        if state_of(child) is ServiceState.STARTING:
            wait_for_end(pid_of(child))
            child.advance(now, NONE)
        now += max(RESTART_DELAYS_S)
        if state_of(child) is ServiceState.FAILED:
            break
    assert state_of(child) is ServiceState.FAILED
    assert child.restarts == DEATHS_MAX - 1
    assert "ended with code 3" in child.detail
    assert "no room on the disk" in child.detail
    child.try_again()
    child.advance(now, NONE)
    assert state_of(child) is ServiceState.STARTING


def test_delays_grow_and_stay_under_five_seconds() -> None:
    """A restart is never later than promised."""
    assert list(RESTART_DELAYS_S) == sorted(RESTART_DELAYS_S)
    assert max(RESTART_DELAYS_S) < 5
