"""Loopback ports: which are free, who listens where. Nothing here ever binds beyond 127.0.0.1."""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import IO

import psutil

LOOPBACK = "127.0.0.1"
CONNECT_TIMEOUT_S = 0.5
ATTEMPTS_MAX = 50  # ports tried before giving up
# Below the ports that systems give to clients: one that asks a service which was just killed could be given
# that very port, be connected to itself, and keep the service from it when it comes back.
QUIET_PORTS = range(20_000, 32_000)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT does not count
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


class PortReservations:
    """Ports kept for this process: a locked file per port, so that stacks starting at once choose apart."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir()) / f"desk-ports-{os.getuid()}"
        self._held: dict[int, IO[str]] = {}

    def choose(self, wishes: Collection[int]) -> int:
        """Reserve the first wish that is free, else one of the quiet ports."""
        for port in wishes:
            if port_is_free(port) and self._reserve(port):
                return port
        for port in random.sample(QUIET_PORTS, ATTEMPTS_MAX):
            if port_is_free(port) and self._reserve(port):
                return port
        raise OSError(f"no free loopback port found in {ATTEMPTS_MAX} attempts")

    def release(self) -> None:
        """Let others have the ports."""
        for handle in self._held.values():
            handle.close()
        self._held.clear()

    def _reserve(self, port: int) -> bool:
        if port in self._held:
            return False
        self._folder.mkdir(mode=0o700, exist_ok=True)
        handle = (self._folder / str(port)).open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return False
        self._held[port] = handle
        return True


def accepts_connections(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S):
            return True
    except OSError:
        return False


def listening_addresses(process: psutil.Process) -> set[tuple[str, int]]:
    """The (address, port) pairs a process listens on by TCP; empty when it has gone."""
    try:
        connections = process.net_connections(kind="tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return set()
    return {(item.laddr.ip, item.laddr.port) for item in connections if item.status == psutil.CONN_LISTEN}


def is_served_by(pid: int, port: int) -> bool:
    """Whether this process or a child of it listens on the port: a stranger's answer is no readiness."""
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return False
    return any(number == port for member in family for _, number in listening_addresses(member))
