"""A second process of each resident, on a real Redis: it writes nothing, and follows where the first is gone.

No gateway and no warehouse are there: who waits for them holds its lease all the same.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from desk_command import environment
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.live_state import RedisLiveState
from desk.residents.life import FAILED, HELD_ELSEWHERE
from desk.residents.writer_lease import this_process
from desk.stack.residents import BEATING, BROKER, DRAIN, MARKET_DRAIN, STAND_BY
from trading.ports.live_state import Lease
from trading.services.hold_lease import SHARD

pytestmark = pytest.mark.skipif(redis_binary() is None, reason="no redis-server")
WAIT_S = 90.0
BEAT_S = 1  # a lease lives three
LONG_S = 3_600
NOBODY = "127.0.0.1"  # at port 1 nobody listens
CONDITIONS = {BROKER: "broker_clock_skew", DRAIN: "drain_stuck", MARKET_DRAIN: "market_drain_stuck"}


@dataclass(slots=True)
class Residents:
    """Processes of one home folder and one Redis."""

    home: Path
    redis: RunningRedis
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """One more."""
        addresses = {"REDIS_URL": self.redis.url, "CLICKHOUSE_URL": f"http://{NOBODY}:1"}
        broker = {"BROKER_HOST": NOBODY, "BROKER_PORT": "1", "BROKER_SIMULATED_CLOCK": "true"}
        with self.log(len(self.processes)).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"desk.residents.{name.replace('-', '_')}", *arguments],
                env=environment(self.home, **addresses, **broker),
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def log(self, number: int) -> Path:
        """What one wrote on its console."""
        return self.home / f"resident-{number}.log"

    def until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait with a bound."""
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            if time.monotonic() > deadline:
                logs = [self.log(number).read_text()[-1_500:] for number in range(len(self.processes))]
                raise AssertionError(f"{what}: {logs}")
            time.sleep(0.05)

    def state(self) -> RedisLiveState:
        """To look at leases."""
        return RedisLiveState(self.redis.url)

    def holder(self, name: str) -> Lease | None:
        """Who works."""
        return self.state().lease_holder(name, SHARD)

    def is_held_by(self, name: str, process: "subprocess.Popen[bytes]") -> bool:
        """Whether it is this one."""
        told = self.holder(name)
        return told is not None and f"/{process.pid}/" in told.owner

    def everything(self) -> dict[bytes, bytes]:
        """What the server holds, to the byte."""
        driver = self.state()._client
        return {key: driver.dump(key) for key in driver.keys("*")}

    def open_codes(self) -> list[str]:
        """The conditions that go on."""
        return [each.code for each in RedisAlertLog(self.redis.url).open()]


@pytest.fixture
def residents(tmp_path: Path) -> Iterator[Residents]:
    """A Redis; no process yet."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    for name in ("broker", "ingest"):
        (home / "config" / f"{name}.yaml").write_text(f"heartbeat_every_s: {BEAT_S}\n")
    redis = start_redis(tmp_path / "redis")
    there = Residents(home, redis)
    yield there
    for each in there.processes:
        each.kill()
        each.wait()
    redis.kill()


def test_a_second_one_of_each_writes_nothing_and_says_who_has_it(residents: Residents) -> None:
    """A second process of a person ends with its own code, and tells of the first: machine, process, time."""
    state = residents.state()
    for name in BEATING:
        assert state.acquire_lease(name, SHARD, this_process(), LONG_S) is not None
        RedisAlerts(residents.redis.url, name).raise_alert(CONDITIONS.get(name, "ingest_clock_skew"), "open")
    before = residents.everything()
    seconds = {name: residents.start(name) for name in BEATING}
    codes = {name: process.wait(WAIT_S) for name, process in seconds.items()}
    assert codes == dict.fromkeys(BEATING, HELD_ELSEWHERE)
    assert residents.everything() == before
    for number, name in enumerate(BEATING):
        last = residents.log(number).read_text().strip().splitlines()[-1]
        shown = (
            rf"ended: {name} is held by process {os.getpid()} on {re.escape(socket.gethostname())}, since "
        )
        assert re.search(rf"{shown}\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC", last)


def test_one_is_followed_when_it_stands_still_or_is_killed_and_disturbed_by_nobody_else(
    residents: Residents,
) -> None:
    """Three of each: one works, one waits; the one that wakes ends, the third follows one that was killed."""
    there = {name: Succession(name, residents, residents.start(name, STAND_BY)) for name in CONDITIONS}
    for each in there.values():
        each.begins(each.first)
        each.seconds_waits()
    for each in there.values():
        each.first_stands_still()
    for each in there.values():
        each.second_follows()
    for each in there.values():
        each.first_wakes_and_ends()
    thirds = {name: residents.start(name, STAND_BY) for name in there}
    for each in there.values():
        each.follows_at_once(thirds[each.name])


@dataclass(slots=True)
class Succession:
    """Processes of one resident, one after the other."""

    name: str
    residents: Residents
    first: "subprocess.Popen[bytes]"
    second: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def has_condition(self) -> bool:
        """Whether what was raised of it goes on."""
        return CONDITIONS[self.name] in self.residents.open_codes()

    def begins(self, process: "subprocess.Popen[bytes]", after: datetime | None = None) -> None:
        """It holds its lease, took over and says that it lives: then it finds something."""

        def beats() -> bool:
            beat = self.residents.state().heartbeats().get(self.name)
            return beat is not None and (after is None or beat > after)

        self.residents.until(lambda: self.residents.is_held_by(self.name, process), f"lease of {self.name}")
        self.residents.until(beats, f"a heartbeat of {self.name}")
        held = self.residents.holder(self.name)
        assert held is not None
        finds = RedisAlerts(self.residents.redis.url, self.name)
        finds.fence(held.fencing)
        finds.raise_alert(CONDITIONS[self.name], f"of process {process.pid}")
        assert self.has_condition

    def seconds_waits(self) -> None:
        """It says for whom it waits, and leaves all as it is."""
        under, number = self.residents.holder(self.name), len(self.residents.processes)
        self.second = self.residents.start(self.name, STAND_BY)
        log = self.residents.log(number)
        text = f"waits: it is held by process {self.first.pid} on {socket.gethostname()}, since "
        self.residents.until(lambda: text in log.read_text(), f"the second {self.name}")
        assert self.residents.holder(self.name) == under
        assert self.has_condition

    def first_stands_still(self) -> None:
        """Its lease runs out."""
        self.first.send_signal(signal.SIGSTOP)

    def second_follows(self) -> None:
        """It ends what the first one left, and finds something itself."""
        self.begins(self.second, after=datetime.now(UTC))

    def first_wakes_and_ends(self) -> None:
        """It says once that it was followed, and by whom; what its successor found stays open."""
        self.first.send_signal(signal.SIGCONT)
        assert self.first.wait(WAIT_S) == FAILED
        assert self.second.poll() is None
        place = self.residents.processes.index(self.first)
        assert f"process {self.second.pid} on" in self.residents.log(place).read_text()
        told = [alert.code for alert in RedisAlertLog(self.residents.redis.url).newest(None, 100)]
        assert told.count(f"fenced_out-{self.name}") == 1
        assert self.has_condition

    def follows_at_once(self, third: "subprocess.Popen[bytes]") -> None:
        """Who follows waits for no lease of a process that is gone, and ends what it left open."""
        self.second.kill()
        self.second.wait()
        left = self.residents.holder(self.name)
        if left is not None and not self.residents.is_held_by(self.name, third):
            self.residents.state().keep_lease(left, LONG_S)
        self.residents.until(lambda: self.residents.is_held_by(self.name, third), f"a third {self.name}")
        self.residents.until(lambda: not self.has_condition, f"the end of what {self.name} left open")
        third.send_signal(signal.SIGTERM)
        assert third.wait(WAIT_S) == 0
        assert self.residents.holder(self.name) is None
