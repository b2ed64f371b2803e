"""Choosing loopback ports."""

import socket
from pathlib import Path

from desk.stack.ports import LOOPBACK, QUIET_PORTS, PortReservations, port_is_free


def test_a_taken_port_is_replaced_by_a_free_one(tmp_path: Path) -> None:
    """A wish that somebody listens on is passed over."""
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        taken = server.getsockname()[1]
        assert not port_is_free(taken)
        chosen = PortReservations(tmp_path).choose([taken])
    assert chosen != taken


def test_two_stacks_that_start_at_once_choose_apart(tmp_path: Path) -> None:
    """A port that another stack has reserved is not chosen, although nobody listens on it yet."""
    first, second = PortReservations(tmp_path), PortReservations(tmp_path)
    wish = first.choose([])
    assert second.choose([wish]) != wish
    first.release()
    assert PortReservations(tmp_path).choose([wish]) == wish


def test_one_stack_never_gets_a_port_twice(tmp_path: Path) -> None:
    """Two services with the same wish end up on two ports."""
    ports = PortReservations(tmp_path)
    wish = ports.choose([])
    assert ports.choose([wish]) != wish


def test_a_port_of_ours_is_none_that_clients_are_given(tmp_path: Path) -> None:
    """A client of a service that was killed must not get its port and keep it from coming back."""
    assert all(PortReservations(tmp_path).choose([]) in QUIET_PORTS for _ in range(20))
    assert max(QUIET_PORTS) < 32_768  # where Linux begins; others begin higher
