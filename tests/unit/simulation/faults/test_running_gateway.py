"""A running gateway: faults by its control port and from a test, on real sockets, heard by a real client."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from simulated_broker import CLIENT, SESSION, world

from simulation.gateway import Gateway, GatewayPlan, Running, run_in_thread
from simulation.tws.framing import framed

DEADLINE_S = 60.0
OPENS = world().calendar.session_open(SESSION)
PLAN = GatewayPlan(session=SESSION, sessions=1, speed=None, orders=30, client_id=CLIENT)


@pytest.fixture
def running() -> Iterator[Running]:
    """A gateway whose clock stands until the test moves it."""
    with run_in_thread(PLAN) as gateway:
        yield gateway


def _ask(running: Running, *lines: str) -> list[dict[str, Any]]:
    with socket.create_connection(("127.0.0.1", running.control_port), timeout=DEADLINE_S) as connection:
        connection.sendall("".join(f"{line}\n" for line in lines).encode())
        with connection.makefile() as answers:
            return [json.loads(answers.readline()) for _ in lines]


def test_the_control_port_does_and_shows(running: Running) -> None:
    """A fault in the script's words, the status, the list; what cannot be read is answered too."""
    running.move_to(OPENS + timedelta(hours=3))
    did, status, faults, wrong, neither, ran = _ask(
        running,
        '{"do": "correct last execution by 0.01"}',
        '{"show": "status"}',
        '{"show": "faults"}',
        '{"do": "drop lnik"}',
        "not json",
        '{"show": "ran"}',
    )
    assert did["ok"] and did["did"] == "correct last execution by 0.01"
    assert status["ok"] and status["executions"] > 0 and status["session"] == "2026-11-13"
    assert "drop link" in faults["faults"]
    assert not wrong["ok"] and "was lnik" in wrong["error"]
    assert not neither["ok"]
    assert [item["did"] for item in ran["ran"]] == ["correct last execution by 0.01"]
    last = running.do(lambda gateway: gateway.broker.executed.told[-1].execution.exec_id)
    assert last.endswith(".02")


def test_a_line_that_is_too_long_ends_only_its_connection(running: Running) -> None:
    """The next connection is answered."""
    with socket.create_connection(("127.0.0.1", running.control_port), timeout=DEADLINE_S) as connection:
        connection.sendall(b"x" * 200_000 + b"\n")
        assert _is_ended(connection)
    assert _ask(running, '{"show": "switches"}')[0]["ok"]


def test_a_dropped_link_is_gone_and_a_new_one_is_welcome(running: Running) -> None:
    """The fault resets a connected client; the gateway greets the next."""
    first = _connected(running)
    running.fault("drop link")
    assert _is_ended(first)
    _connected(running).close()


def test_a_restarted_gateway_listens_on_the_same_port(running: Running) -> None:
    """Connections end, and after a moment there is a gateway again."""
    port, first = running.port, _connected(running)
    running.do(_restart)
    assert _is_ended(first)
    deadline = time.monotonic() + DEADLINE_S
    while running.do(lambda gateway: gateway.runner.stage.tasks):
        assert time.monotonic() < deadline
    assert running.port == port
    _connected(running).close()


def _restart(gateway: Gateway) -> None:
    gateway.runner.do("restart gateway 0.05 s", gateway.clock.now())


def test_a_failure_of_the_world_ends_the_thread_with_its_error() -> None:
    """What goes wrong inside is raised where the gateway was started, not swallowed."""

    def broken(now: object) -> list[Any]:
        raise ArithmeticError("the world is broken")

    with pytest.raises(ArithmeticError, match="the world is broken"), run_in_thread(PLAN) as gateway:
        gateway.do(lambda g: g.server.before_advance.append(broken))
        while gateway.do(lambda g: g.server.failure) is None:
            continue


def _is_ended(connection: socket.socket) -> bool:
    """Read until the other side has ended it, in order or by a reset."""
    with connection, suppress(ConnectionResetError):
        while connection.recv(65_536):
            continue
    return True


def _connected(running: Running) -> socket.socket:
    """A client that has shaken hands."""
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=DEADLINE_S)
    hello = b"v157..176"
    connection.sendall(b"API\0" + len(hello).to_bytes(4, "big") + hello)
    if not connection.recv(4):
        raise ConnectionError("expected a greeting, was nothing")
    connection.sendall(framed(["71", "2", "77", ""]))
    return connection
