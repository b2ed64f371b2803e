"""The market's path from the gateway's bytes to the warehouse by hop, beside the library's decoding alone.

A session of streamed chains, books and tapes is captured in lock-step; its messages, framed as the gateway
frames them, then go through the unmodified client library: into nothing, into the feeds, to rows, into Redis,
and the outbox into the warehouse. Each hop is what it adds; CPU of this process, and of Redis beside it. Then
five hundred symbols with chains of a thousand contracts: memory, and how long a flush and a chain take.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import psutil  # noqa: E402
from embedded_warehouse import start_warehouse  # noqa: E402
from ib_insync.client import Client  # noqa: E402
from ingest_desk import (  # noqa: E402
    broker_settings,
    ingest_settings,
    into_trading_hours,
    market_settings,
    symbol_settings,
)
from market_normalizer import Nothing, packets_of  # noqa: E402
from real_redis import start_redis  # noqa: E402

from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.migrator import migrate  # noqa: E402
from adapters.configuration import load_settings  # noqa: E402
from adapters.ibkr.market.budget import SymbolPlan, budget_of  # noqa: E402
from adapters.ibkr.market.capture import CaptureWriter  # noqa: E402
from adapters.ibkr.market.feeds import Feeds  # noqa: E402
from adapters.ibkr.market.lines import KnownContract, Line, LineKind  # noqa: E402
from adapters.ibkr.market.listener import MarketListener  # noqa: E402
from adapters.ibkr.market.lockstep import GatewayControl, LockStep  # noqa: E402
from adapters.ibkr.market.replay import ReplayedCapture, read_capture  # noqa: E402
from adapters.redis.market_sink import RedisMarketSink  # noqa: E402
from adapters.wiring import market_drain_tools  # noqa: E402
from simulation.gateway import GatewayPlan, run_in_thread  # noqa: E402
from simulation.tws.options import GatewayOptions  # noqa: E402
from trading.market_settings import ChainMode  # noqa: E402
from trading.model.instruments import Option, Right  # noqa: E402
from trading.ports.market_state import MarketSink, SymbolUpdate  # noqa: E402
from trading.services.drain_market import MarketDrain  # noqa: E402

SECONDS, TURNS, SEED = 60, 3, 7
SYMBOLS, CONTRACTS = 500, 1_000
TICKS_PER_FLUSH = 5_000  # 20,000 a second, four flushes
FLUSHES, CHAINS = 20, 10
AT = datetime(2026, 11, 13, 17, tzinfo=UTC)
CHAINS_OF = {"chain_expiries_max": 4, "chain_strikes_each_side": 12}
MARKET = replace(
    market_settings(
        SPY=symbol_settings(depth=True, tick_by_tick=True, chain=ChainMode.STREAM),
        QQQ=symbol_settings(chain=ChainMode.STREAM),
        AAPL=symbol_settings(chain=ChainMode.STREAM),
        NVDA=symbol_settings(chain=ChainMode.STREAM),
    ),
    **CHAINS_OF,
)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=int, default=SECONDS)
    asked.add_argument("--turns", type=int, default=TURNS)
    asked.add_argument("--symbols", type=int, default=SYMBOLS)
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        path = Path(folder)
        flushes = captured(path / "session.gz", told.seconds)
        hops(flushes, path, told.turns)
    many_chains(told.symbols)


@dataclass(slots=True)
class Interval:
    """What lies between two flushes: what the feeds were told, the messages as packets, the flush itself."""

    acts: list[Sequence[Any]] = field(default_factory=list)
    heard: list[Sequence[str]] = field(default_factory=list)
    ends: list[Sequence[Any]] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    at: datetime | None = None


def captured(path: Path, seconds: int) -> list[Interval]:
    """A generated session in lock-step, as intervals."""
    asyncio_run(path, seconds)
    intervals = [Interval()]
    for record in read_capture(path):
        now = intervals[-1]
        name, at = record[0], record[1]
        if name == "heard":
            now.heard.append(record[2:])
        elif name == "flush":
            now.at = None if at is None else datetime.fromisoformat(at)
            now.packets = list(packets_of(now.heard))
            intervals.append(Interval())
        else:
            (now.ends if name == "end" else now.acts).append(record)
    return intervals[:-1]


def asyncio_run(path: Path, seconds: int) -> None:
    """Play and capture it."""
    options = GatewayOptions(pump_s=3_600, messages_per_second=1_000_000, market_data_lines=2_000)
    plan = GatewayPlan(speed=None, orders=0, options=options)

    async def play(port: int, control: GatewayControl) -> None:
        writer = CaptureWriter(path)
        driver = LockStep(
            broker_settings(port, 1), MARKET, ingest_settings(market_data_lines=2_000), NoSink(),
            control.step, begins_at=control.now(), capture=writer,
        )  # fmt: skip
        await driver.connect()
        await driver.advance(seconds)
        driver.close()
        writer.close()

    with run_in_thread(plan) as running:
        running.do(into_trading_hours)
        asyncio.run(play(running.port, GatewayControl(running.control_port)))


class NoSink(MarketSink):
    """Takes everything and keeps nothing."""

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Nothing."""


@dataclass(slots=True)
class Spent:
    """Seconds of the wall, of this process, of the process beside it."""

    wall: float
    own: float
    other: float = 0.0


def hops(flushes: Sequence[Interval], folder: Path, turns: int) -> None:
    """Each hop alone is the difference to the one before it."""
    messages = sum(len(each.heard) for each in flushes)
    octets = sum(len(packet) for each in flushes for packet in each.packets)
    print(f"market path, {messages:,} messages ({octets / 1e6:.1f} MB) of a generated session of 4 chains")
    redis = start_redis(folder / "redis")
    server = psutil.Process(redis.process.pid)
    try:
        alone = spent(lambda: decoded(flushes), turns)
        heard = spent(lambda: through(flushes, None), turns)
        rows = spent(lambda: through(flushes, NoSink()), turns)
        kept = spent(lambda: through(flushes, RedisMarketSink(redis.url)), turns, server)
        shown("library's decoding alone", messages, alone, alone, None)
        shown("… and the feeds", messages, heard, alone, alone)
        shown("… and flushed to rows", messages, rows, alone, heard)
        shown("… and Redis", messages, kept, alone, rows)
        drained(redis.url, folder, messages, turns)
    finally:
        redis.kill()


def spent(work: Callable[[], None], turns: int, server: psutil.Process | None = None) -> Spent:
    """The median turn."""
    told = []
    for _ in range(turns):
        other, wall, own = _cpu(server), time.perf_counter(), time.process_time()
        work()
        told.append(Spent(time.perf_counter() - wall, time.process_time() - own, _cpu(server) - other))
    return sorted(told, key=lambda each: each.wall)[len(told) // 2]


def _cpu(server: psutil.Process | None) -> float:
    return 0.0 if server is None else sum(server.cpu_times()[:2])


def shown(name: str, messages: int, now: Spent, alone: Spent, before: Spent | None) -> None:
    """One line of the table."""
    added = "" if before is None else f"   adds {(now.own - before.own) / messages * 1e6:5.1f} us/message"
    beside = f", Redis {now.other / now.wall:4.0%}" if now.other else ""
    print(
        f"  {name:26s} {messages / now.own:9,.0f} messages/s of CPU, share {now.own / now.wall:4.0%}{beside}"
        f"   {alone.own / now.own:4.0%} of decoding's rate{added}"
    )


def decoded(flushes: Sequence[Interval]) -> None:
    """The library alone."""
    client = client_of(Nothing())
    for each in flushes:
        for packet in each.packets:
            client._onSocketHasData(packet)


def through(flushes: Sequence[Interval], sink: MarketSink | None) -> None:
    """Into the feeds; with a sink also to rows and into it."""
    settings = ingest_settings(market_data_lines=2_000)
    played = ReplayedCapture(budget_of(MARKET, settings).symbols, settings)
    client = client_of(MarketListener(played, "America/New_York", lambda: None))
    for each in flushes:
        for record in each.acts:
            played.take(record)
        played.at = each.at
        for packet in each.packets:
            client._onSocketHasData(packet)
        for record in each.ends:
            played.take(record)
        if sink is not None and each.at is not None:
            updates = played.feeds.flush(each.at, each.at + timedelta(seconds=random.random()))
            if updates:
                sink.publish(updates)


def client_of(wrapper: Any) -> Client:
    """The library's client, as after a handshake."""
    client = Client(wrapper)
    client._serverVersion = client.decoder.serverVersion = 176
    client._apiReady = True
    return client


def drained(redis_url: str, folder: Path, messages: int, turns: int) -> None:
    """The outbox into the embedded warehouse."""
    server = start_warehouse(folder / "warehouse")
    try:
        warehouse = Warehouse(server.url)
        migrate(warehouse)
        given = {"DESK_HOME": str(folder), "CLICKHOUSE_URL": server.url, "REDIS_URL": redis_url}
        drain = MarketDrain(market_drain_tools(load_settings(given, with_stack=False), warehouse, "bench"))
        blocks, began, own = 0, time.perf_counter(), time.process_time()
        while (report := drain.drain_once(0.05)).blocks:
            blocks += report.blocks
        wall, cpu = time.perf_counter() - began, time.process_time() - own
        rows = sum(
            int(warehouse.value(f"select count() from core.{table}"))
            for table in ("quotes", "trades", "bars", "depth", "chains")
        )
        print(
            f"  outbox to warehouse: {rows:,} rows in {blocks:,} blocks of {turns} turns, "
            f"{rows / wall:,.0f} rows/s, {turns * messages / wall:,.0f} messages/s, CPU {cpu / wall:.0%}"
        )
    finally:
        server.kill()


def many_chains(symbols: int) -> None:
    """Memory and lag of many symbols with long chains."""
    process = psutil.Process()
    before = process.memory_info().rss
    chance = random.Random(SEED)
    feeds = Feeds(
        {f"S{n}": SymbolPlan(symbol=f"S{n}", bars=True, chain=ChainMode.STREAM) for n in range(symbols)},
        ingest_settings(),
    )
    feeds.begin_session(AT.date())
    numbers = list(_opened(feeds, symbols))
    for number in numbers:
        _ticked(feeds, number, chance, AT)
    feeds.flush(AT, AT)
    grown = process.memory_info().rss - before
    print(f"{symbols} symbols with chains of {CONTRACTS:,} contracts, each line ticked and each chain told")
    print(f"  memory {grown / 1e6:,.0f} MB, {grown / len(numbers):,.0f} bytes a line of {len(numbers):,}")
    lags = []
    for turn in range(FLUSHES):
        at = AT + timedelta(milliseconds=250 * (turn + 1))
        for number in chance.sample(numbers, TICKS_PER_FLUSH):
            _ticked(feeds, number, chance, at)
        began = time.process_time()
        feeds.flush(at, at)
        lags.append(time.process_time() - began)
    print(
        f"  a flush of {TICKS_PER_FLUSH:,} lines that changed: {statistics.median(lags) * 1e3:.0f} ms, "
        f"at most {max(lags) * 1e3:.0f} ms (of 250)"
    )
    chains = []
    for place in range(CHAINS):
        began = time.process_time()
        feeds.symbols[f"S{place}"].chain.snapshot(AT)  # type: ignore[union-attr]
        chains.append(time.process_time() - began)
    each = statistics.median(chains)
    print(
        f"  a chain of {CONTRACTS:,} as a snapshot: {each * 1e3:.1f} ms; {symbols} of them every "
        f"{symbols * each:.1f} s at the least"
    )


def _opened(feeds: Feeds, symbols: int) -> Iterator[int]:
    for place in range(symbols):
        symbol, first = f"S{place}", 1 + place * (CONTRACTS + 1)
        own = KnownContract(
            conid=first, symbol=symbol, sec_type="STK", exchange="SMART", instrument_id=f"STK:{first}"
        )
        feeds.begin(first, Line(kind=LineKind.LEVEL1, symbol=symbol, contract=own))
        yield first
        options = [_option(symbol, first + 1 + n, n) for n in range(CONTRACTS)]
        feeds.expect_chain(symbol, options, CONTRACTS)
        for option in options:
            contract = KnownContract(
                conid=option.conid or 0, symbol=symbol, sec_type="OPT", exchange="SMART",
                instrument_id=option.instrument_id, option=option,
            )  # fmt: skip
            feeds.begin(contract.conid, Line(kind=LineKind.OPTION, symbol=symbol, contract=contract))
            yield contract.conid


def _option(symbol: str, conid: int, place: int) -> Option:
    return Option(
        symbol=symbol, expiry=date(2026, 11, 20), right=Right.CALL if place % 2 else Right.PUT,
        strike=Decimal(50 + place // 2), conid=conid,
    )  # fmt: skip


def _ticked(feeds: Feeds, number: int, chance: random.Random, at: datetime) -> None:
    bid = round(chance.uniform(1, 50), 2)
    feeds.price(number, 1, bid, float(chance.randint(1, 90)), at)
    feeds.price(number, 2, round(bid + 0.05, 2), float(chance.randint(1, 90)), at)


if __name__ == "__main__":
    main()
