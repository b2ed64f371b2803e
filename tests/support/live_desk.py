"""A live desk of real processes for scenarios: gateway, session, drain, Redis with its journal, warehouse.

Each of the five can be killed with SIGKILL at any moment; the three residents come back by the stack's own
rules, Redis and the warehouse are started again on their files by the test.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from desk_command import environment as desk_environment
from embedded_warehouse import RunningWarehouse, start_migrated_warehouse
from real_redis import RunningRedis, start_redis

from adapters.clickhouse.client import Warehouse
from adapters.configuration import load_settings
from desk.live_session import choose_ports
from desk.stack.attended import AttendedServices
from desk.stack.layout import StackLayout
from desk.stack.ports import PortReservations
from desk.stack.residents import (
    BROKER,
    CONTROL,
    DRAIN,
    GATEWAY,
    broker_endpoints,
    heartbeats_of,
    resident_services,
)
from trading.settings import Settings

READY_S = 180.0
KILLABLE = (BROKER, DRAIN, GATEWAY, "redis", "warehouse")
LOST_REDIS = "redis and its data"


@dataclass(slots=True)
class LiveDesk:
    """The running processes and how to reach what they keep."""

    settings: Settings
    layout: StackLayout
    control_port: int
    warehouse: Warehouse
    server: RunningWarehouse
    redis: RunningRedis
    services: AttendedServices

    def kill(self, name: str) -> None:
        """SIGKILL; stores come back at once on their files, residents by their keeper."""
        if name == "redis":
            self.redis.kill()
            self.redis.restart()
        elif name == LOST_REDIS:
            self._lose_redis()
        elif name == "warehouse":
            self._restart_warehouse()
        else:
            pid = self.pid(name)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)

    def pid(self, name: str) -> int | None:
        """The process of a resident; None while there is none."""
        process = next(item.process for item in self.services.statuses() if item.name == name)
        return process.pid if process else None

    def _lose_redis(self) -> None:
        """SIGKILL, and everything it knew is gone."""
        self.redis.kill()
        for path in self.redis.directory.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.redis.restart()

    def _restart_warehouse(self) -> None:
        self.server.kill()
        self.server = self.server.restarted()


@contextmanager
def live_desk(
    folder: Path,
    *,
    gateway_command: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
    **gateway: str,
) -> Iterator[LiveDesk]:
    """Start everything, wait until it is ready, end everything; `gateway` are variables like SPEED="390".

    `gateway_command` is a gateway of one's own; `more` are variables of all residents that win over ours.
    """
    short = Path(tempfile.mkdtemp(prefix="r-"))  # the path of a socket holds a hundred characters
    reservations = PortReservations()
    server = start_migrated_warehouse(folder / "warehouse", port=reservations.choose(()))
    redis = start_redis(short, append_only=True)
    try:
        environment = _environment(folder, server, redis, gateway)
        settings = load_settings(environment, with_stack=False)
        ports = choose_ports(reservations, settings)
        environment |= {**broker_endpoints(settings, ports), **(more or {})}
        layout = StackLayout(settings.paths.home)
        layout.make_folders()
        beats = heartbeats_of(settings, redis.url)
        residents = tuple(
            replace(item, command=gateway_command) if gateway_command and item.name == GATEWAY else item
            for item in resident_services((GATEWAY, DRAIN, BROKER), {}, ports, (), beats)
        )
        with AttendedServices(residents, layout, environment, frozenset()) as services:
            services.wait_until_ready(READY_S)
            desk = LiveDesk(
                settings=settings, layout=layout, control_port=ports[CONTROL],
                warehouse=Warehouse(server.url), server=server, redis=redis, services=services,
            )  # fmt: skip
            try:
                yield desk
            finally:
                server = desk.server  # another one, where it was killed
    finally:
        reservations.release()
        redis.kill()
        server.kill()
        shutil.rmtree(short, ignore_errors=True)


def _environment(
    folder: Path, server: RunningWarehouse, redis: RunningRedis, gateway: Mapping[str, str]
) -> dict[str, str]:
    named = {f"DESK_GATEWAY_{name}": value for name, value in gateway.items()}
    addresses = {
        "CLICKHOUSE_URL": server.url, "CLICKHOUSE_READER_URL": server.reader_url, "REDIS_URL": redis.url,
    }  # fmt: skip
    return desk_environment(folder / "home", DESK_GATEWAY="true", **named, **addresses)
