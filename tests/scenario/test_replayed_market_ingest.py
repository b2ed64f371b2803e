"""A recorded day through the gateway and the market session into Redis: its outbox ends each minute as filed.

In lock-step, so nothing is waited for: step, hear all of it, write, read the outbox back. A part of the chain
runs always, the whole chain through the whole session as a soak.
"""

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from filed_market import MINUTE_MS, Closing, Name, Traded, closings, members, trades
from ingest_desk import broker_settings, ingest_settings, into_trading_hours, market_settings, symbol_settings
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.ibkr.market.lockstep import GatewayControl, LockStep
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from simulation.gateway import GatewayPlan, Running, run_in_thread
from simulation.tws.options import GatewayOptions
from trading.market_settings import ChainMode, MarketSettings
from trading.model.market import MarketKind, Quote, Trade

FOLDER, SESSION = "lean-goog-options-20151224", date(2015, 12, 24)
MIDNIGHT_MS = int(datetime(2015, 12, 24, 5, tzinfo=UTC).timestamp() * 1000)  # New York
FROM_MS, CLOSE_MS = 34_260_000, 46_800_000  # a minute after the opening, since a spot must be known; 13:00
LINES = 3_000
PART_MINUTES, PART_STRIKES, PART_EXPIRIES = 8, 4, 3
WARM_UP = 8  # minutes
READ_MOST = 2_000


@dataclass(frozen=True)
class Played:
    """How long lines are opened, how long it is compared, and how many lines there are then."""

    warm_up: int
    warm_up_step_s: float
    minutes: int
    least: int

    @property
    def from_ms(self) -> int:
        """The first minute that is compared."""
        return FROM_MS + self.warm_up * MINUTE_MS


@dataclass
class Written:
    """What the outbox has told so far."""

    quotes: dict[str, Closing] = field(default_factory=dict)
    trades: dict[str, dict[int, list[Trade]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    refused: int = 0

    def take(self, reader: RedisMarketOutboxReader) -> None:
        """Everything that is new."""
        while (batch := reader.read(READ_MOST, 0.01)).entries or batch.unreadable:
            assert not batch.unreadable
            for entry in batch.entries:
                for row in entry.block.rows:
                    self._row(row)
            reader.ack(batch.entries)

    def _row(self, row: object) -> None:
        if isinstance(row, Quote):
            self.quotes[row.instrument_id] = Closing(
                *_side(row.bid, row.bid_size), *_side(row.ask, row.ask_size)
            )
        elif isinstance(row, Trade):
            at_ms = round(row.at.timestamp() * 1000) - MIDNIGHT_MS
            self.trades[row.instrument_id][at_ms // MINUTE_MS * MINUTE_MS].append(row)
        else:
            self.refused += getattr(row, "kind", None) is MarketKind.REFUSED


def _side(price: Decimal | None, size: Decimal | None) -> tuple[float, int]:
    return (float(price), int(size or 0)) if price is not None else (-1.0, 0)


def occ(name: Name) -> str:
    """The house's id of a series."""
    return f"OPT:{name.symbol:<6}{name.expiry[2:]}{name.right}{round(name.strike * 1000):08d}"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RunningRedis]:
    """A server of its own."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    server = start_redis(tmp_path)
    yield server
    server.kill()


def chain_settings(expiries: int, strikes: int) -> MarketSettings:
    """GOOG with a line for every contract of so much of its chain."""
    market = market_settings(GOOG=symbol_settings(chain=ChainMode.STREAM, bars=False))
    return dataclasses.replace(market, chain_expiries_max=expiries, chain_strikes_each_side=strikes)


def compared(folder: Path, redis: RunningRedis, market: MarketSettings, plan: Played) -> None:
    """Play the minutes; each ends in the outbox as in the files, and all trades are there."""
    quotes = {occ(Name.of(n)): closings(r) for n, r in members(_archive(folder, "quote"))}
    printed = {occ(Name.of(n)): trades(r) for n, r in members(_archive(folder, "trade"))}
    written, sink = Written(), RedisMarketSink(redis.url)
    reader = RedisMarketOutboxReader(redis.url, consumer="test")

    async def play(running: Running) -> None:
        control = GatewayControl(running.control_port)
        ingest = ingest_settings(market_data_lines=LINES)
        driver = LockStep(
            broker_settings(running.port, 1), market, ingest, sink, control.step, begins_at=control.now()
        )
        await driver.connect()
        for _ in range(plan.warm_up):  # lines are asked for at the pace that the broker allows
            await driver.advance(60, of=plan.warm_up_step_s)
            written.take(reader)
        for minute in range(plan.minutes):
            at_ms = plan.from_ms + minute * MINUTE_MS
            await driver.advance(59 if minute == 0 else 60, of=59 if minute == 0 else 15)
            written.take(reader)
            wrong = {
                name: (written.quotes[name], _standing(quotes[name], at_ms))
                for name in written.quotes.keys() & quotes.keys()
                if written.quotes[name] != _standing(quotes[name], at_ms)
            }
            assert not wrong, (minute, len(wrong), next(iter(wrong.items())))
            assert len(written.quotes) > plan.least
        driver.close()
        assert driver.alerts == []

    options = GatewayOptions(market_data_lines=LINES, messages_per_second=1_000_000, pump_s=3_600)
    gateway = GatewayPlan(data=folder, session=SESSION, sessions=1, speed=None, options=options)
    with run_in_thread(gateway) as running:
        running.do(into_trading_hours)
        asyncio.run(play(running))
    assert written.refused == 0
    _all_traded(written, printed, plan)


def _archive(folder: Path, kind: str) -> Path:
    return folder / "option_minute" / f"20151224_{kind}_american.zip"


def _standing(rows: dict[int, Closing], at_ms: int) -> Closing:
    known = [rows[at] for at in rows if at <= at_ms]
    return known[-1] if known else Closing(-1.0, 0, -1.0, 0)


def _all_traded(written: Written, printed: dict[str, dict[int, Traded]], plan: Played) -> None:
    """Prices and volume of each minute in which the lines were open; nothing besides."""
    end_ms = plan.from_ms + plan.minutes * MINUTE_MS
    for name in written.quotes.keys() & printed.keys():
        expected = {at: row for at, row in printed[name].items() if plan.from_ms <= at < end_ms}
        told = {at: _bar(rows) for at, rows in written.trades[name].items() if at >= plan.from_ms}
        assert told == expected, name


def _bar(rows: list[Trade]) -> Traded:
    prices = [float(row.price) for row in rows]
    return Traded(prices[0], max(prices), min(prices), prices[-1], int(sum(row.size for row in rows)))


def test_the_outbox_ends_each_minute_as_the_files_do(shared_data: Path, redis: RunningRedis) -> None:
    """The nearest strikes of three expiries, eight minutes."""
    market = chain_settings(PART_EXPIRIES, PART_STRIKES)
    least = 2 * PART_STRIKES * PART_EXPIRIES
    plan = Played(warm_up=1, warm_up_step_s=10, minutes=PART_MINUTES, least=least)
    compared(shared_data / FOLDER, redis, market, plan)


@pytest.mark.soak
def test_the_whole_chain_of_the_whole_session_in_redis(shared_data: Path, redis: RunningRedis) -> None:
    """Every contract of the 2,192 that anybody quotes, once all lines are open, to the last minute."""
    minutes = (CLOSE_MS - FROM_MS) // MINUTE_MS - WARM_UP
    plan = Played(warm_up=WARM_UP, warm_up_step_s=1, minutes=minutes, least=2_150)
    compared(shared_data / FOLDER, redis, chain_settings(20, 1_000), plan)
