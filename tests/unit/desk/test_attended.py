"""Services that a command starts for itself."""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from desk.stack import child
from desk.stack.attended import AttendedServices, ServiceNotReadyError
from desk.stack.layout import StackLayout
from desk.stack.processes import MARK
from desk.stack.service import Service

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
DIE = (sys.executable, "-c", "print('no such session'); raise SystemExit(3)")
WAIT_S = 60.0


@pytest.fixture
def layout(tmp_path: Path) -> StackLayout:
    """The folders of a home."""
    layout = StackLayout(tmp_path / "home")
    layout.make_folders()
    return layout


def service(name: str, command: tuple[str, ...], *needs: str) -> Service:
    """A service without a port that is ready as soon as it runs."""
    return Service(name=name, command=command, environment={}, needs=needs, is_ready=lambda _: True)


def attended(layout: StackLayout, *services: Service) -> AttendedServices:
    """They run beside a stack in which Redis is ready."""
    return AttendedServices(services, layout, dict(os.environ), frozenset({"redis"}))


def until(is_so: Callable[[], object]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_they_start_in_order_come_back_after_a_kill_and_end_with_the_command(layout: StackLayout) -> None:
    """A killed one has another process; after the context none is left, and each bore the mark."""
    with attended(layout, service("drain", SLEEP, "redis"), service("broker", SLEEP, "drain")) as services:
        services.wait_until_ready(WAIT_S)
        before = services.statuses()[0].process
        assert before is not None
        assert psutil.Process(before.pid).environ()[MARK] == str(layout.home)
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: services.statuses()[0].restarts)
        services.wait_until_ready(WAIT_S)
        pids = [status.process.pid for status in services.statuses() if status.process]
        assert len(pids) == 2
        assert before.pid not in pids
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_a_clock_that_is_set_back_keeps_none_from_coming_back(
    layout: StackLayout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the end of a service and its next start an hour is seen twice."""
    monkeypatch.setattr(child, "RESTART_DELAYS_S", (1.0,))
    clock = time.time
    with attended(layout, service("drain", SLEEP, "redis")) as services:
        services.wait_until_ready(WAIT_S)
        before = services.statuses()[0].process
        assert before is not None
        os.kill(before.pid, signal.SIGKILL)
        until(lambda: services.statuses()[0].detail)
        monkeypatch.setattr(time, "time", lambda: clock() - 3_600)
        until(lambda: services.statuses()[0].restarts)


def test_one_that_keeps_ending_is_told_with_its_last_words(layout: StackLayout) -> None:
    """The caller learns why and where to look, instead of waiting for ever."""
    told = r"gateway is not ready: .*no such session.*gateway\.log"
    gateway = replace(service("gateway", DIE, "redis"), is_ready=lambda _: False)
    with attended(layout, gateway) as services:
        until(lambda: services.statuses()[0].detail)
        with pytest.raises(ServiceNotReadyError, match=told):
            services.wait_until_ready(0.0)
