"""The residents under the stack, for real: gateway, drain and session started, killed, back, stopped."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from desk_command import desk_json, run_desk, services

from desk.stack.processes import marked_processes

RESIDENTS = ["gateway", "drain", "broker"]
BACK_WITHIN_S = 5.0
WAIT_S = 60.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack with a simulated broker; stopped at the end whatever happened."""
    folder = tmp_path_factory.mktemp("desk-live")
    try:
        desk_json(folder, "up", "--gateway")
        run_desk(folder, "migrate")
        yield folder
    finally:
        run_desk(folder, "down")


def status_of(home: Path) -> dict[str, dict[str, Any]]:
    """The state file's services by name."""
    return services(json.loads((home / "stack" / "state.json").read_text()))


def seconds_until_back(home: Path, name: str, other_than: int) -> tuple[float, float]:
    """How long it takes until there is another process, and until it is ready."""
    began, started = time.monotonic(), None
    while time.monotonic() - began < WAIT_S:
        service = status_of(home)[name]
        if service["process"] is not None and service["process"]["pid"] != other_than:
            started = started or time.monotonic() - began
            if service["state"] == "ready":
                return started, time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError(f"{name} did not come back: {status_of(home)[name]}")


def test_the_residents_are_services_of_the_stack(home: Path) -> None:
    """`desk status` shows them in the order they start, and `desk doctor` hears their hearts."""
    shown = services(desk_json(home, "status"))
    assert [name for name in shown if name in RESIDENTS] == RESIDENTS
    assert {shown[name]["state"] for name in RESIDENTS} == {"ready"}
    findings = {item["name"]: item for item in desk_json(home, "doctor")["findings"]}
    assert findings["residents"]["verdict"] == "good"
    assert all(name in findings["residents"]["detail"] for name in ("drain", "broker"))


def test_no_resident_listens_beyond_loopback(home: Path) -> None:
    """The gateway and its control port are bound to 127.0.0.1; drain and session listen nowhere."""
    listening = {
        (name, connection.laddr.ip)
        for name in RESIDENTS
        for connection in psutil.Process(status_of(home)[name]["process"]["pid"]).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("gateway", "127.0.0.1")}


@pytest.mark.parametrize("name", RESIDENTS)
def test_a_killed_resident_is_back_within_five_seconds(home: Path, name: str) -> None:
    """kill -9: another process is there within 5 s, and it becomes ready."""
    before = status_of(home)[name]
    os.kill(before["process"]["pid"], signal.SIGKILL)
    started, ready = seconds_until_back(home, name, before["process"]["pid"])
    print(f"{name}: another process after {started:.2f} s, ready after {ready:.2f} s")
    assert started < BACK_WITHIN_S
    after = status_of(home)[name]
    assert (after["port"], after["restarts"]) == (before["port"], before["restarts"] + 1)


def test_down_stops_them_all(home: Path) -> None:
    """The session before the drain, the gateway last of the three; nothing is left."""
    assert desk_json(home, "down") == {"was_running": True, "leftovers_ended": 0, "ports_still_open": []}
    assert not marked_processes(home)
