"""A whole day of a hundred symbols with random market faults, compressed: flat memory, nothing lost unsaid.

The gateway is a process, the session is the resident process itself, with a real Redis whose outbox is
drained all the while. DESK_SOAK_SCALE=0.1 is a quick look at a tenth of the day. It wants two cores of its
own: a machine that is busy otherwise falls behind a day that does not wait.

What is held to: the blocks of every symbol have every sequence number once; every print of the world is in
the outbox, once, or in a gap that a record names; whoever the board says is stale has an alert; memory is
flat.

A print must lie in a gap of its own feed, to the second, by the exchange's clock on both sides. Gaps of
quotes are no answer: they are dated by our idea of the market's time, which on a busy machine is minutes off,
and quotes come again before the prints do. What was missing there once was let pass by a tolerance.
"""

import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis as redis_library
import yaml
from gateway_process import gateway_process
from real_redis import redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.feed_board import RedisFeedBoard
from adapters.redis.market_outbox import RedisMarketOutboxReader
from simulation.gateway import Gateway, GatewayPlan
from simulation.tws.options import GatewayOptions
from trading.model.market import MarketEntry, MarketKind, RefusedRow
from trading.ports.feed_health import FeedState

pytestmark = [
    pytest.mark.soak,
    pytest.mark.timeout(1_500),
    pytest.mark.skipif(redis_binary() is None, reason="no redis-server"),
]

SCALE = float(os.environ.get("DESK_SOAK_SCALE", "1"))
SPEED, SYMBOLS, FAULTS = 40, 92, 40  # ten minutes of this machine
KNOWN = ("SPY", "QQQ", "IWM", "AAPL", "NVDA", "TSLA", "MSFT", "SPX")
HELD_TO_THE_TAPE = ("SPY", "AAPL", "NVDA")
DAY = timedelta(hours=6.5) * SCALE
GROWTH_MOST_MB = 12.0  # of what is held between bursts, from the middle of the day to its end
BURST_MOST_MB = 40.0  # that a burst takes for a moment, above what is held when all is known
WINDOW_S = (240, 600)  # how long a switch stays on, in the market's seconds
ANSWER_S = 120.0
OF_PRINTS = {("prints", "gap"), ("outbox", "trade")}  # feed and field of the records that name lost prints
SPAN = re.compile(r"from (\S+) to (\S+)$")
PLAN = GatewayPlan(
    speed=SPEED,
    orders=0,
    sessions=1,
    symbols=SYMBOLS,
    options=GatewayOptions(pump_s=0.5, market_data_lines=500, messages_per_second=1_000_000),
)
FAULT_WORDS = (
    "drop link", "drop link mid-message", "restart gateway 0.2 s", "notice 2103", "notice 2104", "halt SPY",
    "reset depth", "cross quotes", "withhold greeks", "send unknown message 250", "half-open link",
    "silence market", "lose broker",
)  # fmt: skip
SWITCHES = ("halt SPY", "cross quotes", "withhold greeks", "half-open link", "silence market", "lose broker")


@dataclass(slots=True)
class Watched:
    """What was seen while the day was played."""

    entries: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    prints: dict[str, list[datetime]] = field(default_factory=dict)
    gaps: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    rows: int = 0
    stale: set[str] = field(default_factory=set)
    memory: list[float] = field(default_factory=list)  # the least of each twentieth of the day
    memory_most: float = 0.0

    def take(self, entry: MarketEntry) -> None:
        """One block of the outbox."""
        block = entry.block
        self.entries.setdefault(entry.stream, []).append((entry.epoch, entry.sequence))
        self.rows += len(block.rows)
        if block.kind is MarketKind.TRADE and block.symbol in HELD_TO_THE_TAPE:
            told = [row.at for row in block.rows if row.instrument_id.startswith("STK")]  # type: ignore[union-attr]
            self.prints.setdefault(block.symbol, []).extend(told)
        for row in block.rows:
            span = SPAN.search(row.payload) if isinstance(row, RefusedRow) else None
            if span is not None and (row.feed, row.field) in OF_PRINTS:  # type: ignore[union-attr]
                since, until = map(datetime.fromisoformat, span.groups())
                self.gaps.setdefault(block.symbol, []).append((since, until))


def test_a_market_day_with_faults_loses_nothing_unsaid() -> None:
    """See the module."""
    watched = Watched()
    with tempfile.TemporaryDirectory(prefix="r-") as folder, gateway_process(PLAN) as (port, control):
        redis = start_redis(Path(folder) / "redis")
        began = now_of(control)
        try:
            with ingest_process(Path(folder), port, redis.url) as process, draining(redis.url, watched):
                play(control, began, process, redis.url, watched)
            drain(RedisMarketOutboxReader(redis.url, consumer="soak"), watched)
            alerts, ended = alerts_of(redis.url), now_of(control)
        finally:
            redis.kill()
    told = (
        f"{watched.rows:,} rows of {len(watched.entries)} symbols, {len(alerts)} alerts, "
        f"{watched.memory} MB, {watched.memory_most} at most"
    )
    print(told)
    assert sequences_are_whole(watched) == []
    assert unsaid(watched, tapes_of(Gateway(PLAN), began, ended)) == {}
    assert [each for each in watched.stale if not any(each in text for text in alerts)] == []
    assert watched.memory[-1] - watched.memory[len(watched.memory) // 2] < GROWTH_MOST_MB, told
    assert watched.memory_most - watched.memory[-1] < BURST_MOST_MB, told


def play(control: int, began: datetime, process: psutil.Process, url: str, watched: Watched) -> None:
    """Let the day go by, with a fault now and then, looking at the board and at memory."""
    chance, board = random.Random(7), RedisFeedBoard(url)
    count = max(3, round(FAULTS * SCALE))
    due = sorted(began + DAY * chance.random() * 0.9 for _ in range(count))
    off: list[tuple[datetime, str]] = []
    measured, least = began + DAY / 20, float("inf")
    while (now := now_of(control)) < began + DAY:
        while due and due[0] <= now and not off:  # one switch after the other: the market must move between
            due.pop(0)
            words = chance.choice(FAULT_WORDS)
            asked(control, {"do": words})
            if words in SWITCHES:
                off.append((now + timedelta(seconds=chance.randint(*WINDOW_S)), words))
        if off and all(at <= now for at, _ in off):
            _end(control, [words for _, words in off])
            off = []
        watched.stale |= {each.symbol for each in board.feeds() if each.state is FeedState.STALE}
        held = round(process.memory_info().rss / 1e6, 1)
        least, watched.memory_most = min(least, held), max(watched.memory_most, held)
        if now >= measured:
            watched.memory.append(least)
            print(f"{now:%H:%M} {least} MB, {watched.rows:,} rows", flush=True)
            measured, least = now + DAY / 20, float("inf")
        time.sleep(0.2)
    _end(control, [words for _, words in off])
    time.sleep(5)


def _end(control: int, words: list[str]) -> None:
    asked(control, {"do": "clear faults"})
    if "lose broker" in words:
        asked(control, {"do": "find broker data lost"})


def asked(control: int, question: dict[str, object]) -> dict[str, Any]:
    """One answer of the gateway's control port."""
    with socket.create_connection(("127.0.0.1", control), ANSWER_S) as line:
        line.sendall(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(line.makefile("rb").readline())
    assert answer["ok"], answer
    return answer


def now_of(control: int) -> datetime:
    """The world's time."""
    return datetime.fromisoformat(asked(control, {"show": "status"})["now"])


@contextmanager
def ingest_process(home: Path, port: int, url: str) -> Iterator[psutil.Process]:
    """The resident, with a hundred symbols."""
    (home / "config").mkdir()
    names = [*KNOWN, *(_synthetic(number) for number in range(SYMBOLS))]
    symbols = {
        name: {
            "sector": "soak", "depth": name in KNOWN[:3], "tick_by_tick": name in KNOWN[:1], "bars": True,
            "chain": "snapshot" if name in KNOWN[:4] else "none", "has_news": False,
        }
        for name in names
    }  # fmt: skip
    market = {"chain_expiries_max": 2, "chain_strikes_each_side": 5, "symbols": symbols}
    (home / "config" / "market.yaml").write_text(yaml.safe_dump(market), encoding="utf-8")
    quick = {"silence_after_s": 5, "connect_timeout_s": 5, "request_timeout_s": 10, "reconnect_max_s": 1}
    (home / "config" / "broker.yaml").write_text(yaml.safe_dump(quick), encoding="utf-8")
    environment = {
        **os.environ, "DESK_HOME": str(home), "REDIS_URL": url, "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(port), "BROKER_SPEED": str(SPEED), "BROKER_SIMULATED_CLOCK": "true",
        "MARKET_DATA_LINES": "400",
    }  # fmt: skip
    with (home / "ingest.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "desk.residents.ingest"], env=environment, stdout=log, stderr=log
        )
        try:
            yield psutil.Process(process.pid)
            assert process.poll() is None, (home / "ingest.log").read_text()[-2_000:]
        finally:
            process.terminate()
            assert process.wait(20) == 0, (home / "ingest.log").read_text()[-2_000:]


@contextmanager
def draining(url: str, watched: Watched) -> Iterator[None]:
    """Read and acknowledge, as the market drain does."""
    ending = threading.Event()

    def work() -> None:
        reader = RedisMarketOutboxReader(url, consumer="soak")
        while not ending.is_set():
            if not drain(reader, watched):
                time.sleep(0.2)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(30)


def drain(reader: RedisMarketOutboxReader, watched: Watched) -> int:
    """Everything that waits."""
    taken = 0
    while entries := reader.read(1_000, 0.1).entries:
        for entry in entries:
            watched.take(entry)
        reader.ack(entries)
        taken += len(entries)
    return taken


def alerts_of(url: str) -> list[str]:
    """The texts of all alerts."""
    client: Any = redis_library.Redis(unix_socket_path=url.removeprefix("unix://"))
    return [str(told) for _, told in client.xrange(keys.ALERTS_CRITICAL.at())]


def tapes_of(gateway: Gateway, began: datetime, now: datetime) -> dict[str, list[datetime]]:
    """When the world printed; another gateway of the same plan has the same world."""
    listed = gateway.world.listings.by_conid.values()
    shares = {each.symbol: each.conid for each in listed if each.asset == "STK"}
    return {
        symbol: [each.at for each in gateway.broker.prints(shares[symbol], began, now)]
        for symbol in HELD_TO_THE_TAPE
    }


def sequences_are_whole(watched: Watched) -> list[str]:
    """Streams whose blocks do not count from 1 on without a hole."""
    return [
        stream
        for stream, told in watched.entries.items()
        if [number for _, number in told] != list(range(1, len(told) + 1)) or len({e for e, _ in told}) != 1
    ]


def unsaid(watched: Watched, tapes: dict[str, list[datetime]]) -> dict[str, str]:
    """Prints that are neither in the outbox nor in a gap that a record names, or there twice, by symbol."""
    wrong: dict[str, str] = {}
    for symbol, world in tapes.items():
        heard = Counter(int(at.timestamp()) for at in watched.prints.get(symbol, []))
        gaps = watched.gaps.get(symbol, [])
        first, last = (min(heard), max(heard)) if heard else (0, 0)  # they may be cut by the day's ends
        lost: list[datetime] = []
        for at in world:
            second = int(at.timestamp())
            if heard[second] > 0:
                heard[second] -= 1
            elif first < second < last and not any(since <= at <= until for since, until in gaps):
                lost.append(at)
        twice = +heard
        if lost or twice or not last:
            told = f"{len(lost)} lost: {[f'{at:%H:%M:%S}' for at in lost[:20]]}; {twice.total()} too many"
            wrong[symbol] = f"{told}; gaps {[f'{a:%H:%M:%S}-{b:%H:%M:%S}' for a, b in gaps]}"
    return wrong


def _synthetic(number: int) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return f"Z{letters[number // 676]}{letters[number // 26 % 26]}{letters[number % 26]}"
