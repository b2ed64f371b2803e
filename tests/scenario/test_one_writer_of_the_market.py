"""Two listeners on one Redis, as processes over a simulated gateway: one writes, and the other follows it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_desk import into_trading_hours
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.redis.alerts import RedisAlertLog
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_outbox import RedisMarketOutboxReader
from desk.stack.residents import STAND_BY
from simulation.gateway import GatewayPlan, run_in_thread
from trading.model.market import MarketRow, Quote, RefusedRow
from trading.ports.live_state import Lease
from trading.services.hold_lease import SHARD

pytestmark = pytest.mark.skipif(redis_binary() is None, reason="no redis-server")
ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 90.0
SPEED = 10
BEAT_S = 1  # a lease lives three
LONG_S = 3_600  # a lease that nobody here waits for
SYMBOL_SETTINGS = "sector: test, depth: false, tick_by_tick: false, bars: false, chain: none, has_news: false"


@dataclass(slots=True)
class Listeners:
    """Processes of one home folder, each with a client id of its own."""

    home: Path
    redis: RunningRedis
    environment: dict[str, str]
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    put_aside: list[RefusedRow] = field(default_factory=list)

    def start(self) -> "subprocess.Popen[bytes]":
        """One more."""
        number = len(self.processes)
        with self.log(number).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "desk.residents.ingest", STAND_BY],
                cwd=ROOT,
                env={**self.environment, "INGEST_CLIENT_ID": str(40 + number)},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def log(self, number: int) -> Path:
        """What one wrote on its console."""
        return self.home / f"ingest-{number}.log"

    def until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait with a bound."""
        deadline = time.monotonic() + WAIT_S
        while not is_so():
            if time.monotonic() > deadline:
                logs = [self.log(number).read_text()[-1_500:] for number in range(len(self.processes))]
                raise AssertionError(f"{what}: {logs}")
            time.sleep(0.05)

    def holder(self) -> Lease | None:
        """Who may write."""
        return RedisLiveState(self.redis.url).lease_holder("ingest", SHARD)

    def is_held_by(self, process: "subprocess.Popen[bytes]") -> bool:
        """Whether it is this one."""
        told = self.holder()
        return told is not None and f"/{process.pid}/" in told.owner

    def written(self) -> list[Quote]:
        """Every quote of one symbol in the outbox, in its order; what was put aside is kept beside."""
        reader, rows = RedisMarketOutboxReader(self.redis.url, consumer="test"), list[MarketRow]()
        while entries := reader.read(500, 0.1).entries:
            rows += [row for entry in entries for row in entry.block.rows]
            reader.ack(entries)
        self.put_aside += [row for row in rows if isinstance(row, RefusedRow) and row.symbol == "SPY"]
        return [row for row in rows if isinstance(row, Quote) and row.symbol == "SPY"]

    def has_connected(self, number: int) -> bool:
        """Whether one has asked the gateway for anything."""
        return "link ready" in self.log(number).read_text()


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[Listeners]:
    """A gateway in trading hours and a Redis; no process yet."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "market.yaml").write_text(f"symbols:\n  SPY: {{{SYMBOL_SETTINGS}}}\n")
    (home / "config" / "ingest.yaml").write_text(f"heartbeat_every_s: {BEAT_S}\nflush_every_ms: 50\n")
    plan = GatewayPlan(speed=SPEED, orders=0, control_port=None, skip_nights=True)
    with ExitStack() as ending:
        gateway = ending.enter_context(run_in_thread(plan))
        gateway.do(into_trading_hours)
        redis = start_redis(tmp_path / "redis")
        ending.callback(redis.kill)
        environment = {
            **os.environ,
            "DESK_HOME": str(home),
            "REDIS_URL": redis.url,
            "BROKER_HOST": "127.0.0.1",
            "BROKER_PORT": str(gateway.port),
            "BROKER_SIMULATED_CLOCK": "true",
            "BROKER_SPEED": str(SPEED),
        }
        there = Listeners(home, redis, environment)
        ending.callback(lambda: [(each.kill(), each.wait()) for each in there.processes])
        yield there


def test_a_second_listener_stands_by_and_follows_one_that_was_killed(listeners: Listeners) -> None:
    """It asks the gateway for nothing until then, and waits for no lease of a process that is gone."""
    first = listeners.start()
    told: list[Quote] = []
    listeners.until(lambda: told.extend(listeners.written()) or told, "rows of the first")
    listeners.until(lambda: listeners.is_held_by(first), "the first")
    second = listeners.start()
    until = told[-1].at + timedelta(seconds=4 * BEAT_S * SPEED)
    listeners.until(
        lambda: any(row.at > until for row in listeners.written()), "rows for longer than a lease"
    )
    assert not listeners.is_held_by(second)
    assert not listeners.has_connected(1)
    first.kill()
    first.wait()
    left = listeners.holder()
    if left is not None and not listeners.is_held_by(second):  # who follows has not seen the death before us
        RedisLiveState(listeners.redis.url).keep_lease(left, LONG_S)
    listeners.until(lambda: listeners.is_held_by(second), "a successor, although the lease goes on")
    listeners.written()
    listeners.until(listeners.written, "rows of the second")
    second.send_signal(signal.SIGTERM)
    assert second.wait(WAIT_S) == 0
    assert listeners.holder() is None


def test_one_that_was_stopped_and_wakes_writes_nothing(listeners: Listeners) -> None:
    """What it heard in its sleep is older than what is there: it ends, and says so once."""
    first = listeners.start()
    listeners.until(lambda: listeners.is_held_by(first), "the first")
    rows: list[Quote] = []

    def more() -> bool:
        before = len(rows)
        rows.extend(listeners.written())
        return len(rows) > before

    listeners.until(more, "rows of the first")
    first.send_signal(signal.SIGSTOP)
    second = listeners.start()
    listeners.until(lambda: listeners.is_held_by(second), "a successor")
    more()
    heard_by_first = len(rows)
    listeners.until(more, "rows of the second")
    first.send_signal(signal.SIGCONT)
    assert first.wait(WAIT_S) == 1
    listeners.until(more, "rows after it woke")
    assert second.poll() is None
    times = [row.at for row in rows]
    assert times == sorted(times)
    hole = next(row for row in listeners.put_aside if (row.feed, row.field) == ("level1", "gap"))
    assert (hole.reason, hole.at) == ("nobody listened", rows[heard_by_first - 1].at)
    assert rows[heard_by_first].at.isoformat() in hole.payload
    told = [alert.code for alert in RedisAlertLog(listeners.redis.url).newest(None, 100)]
    assert told.count("fenced_out-ingest") == 1
    assert "ended: " in listeners.log(0).read_text()
