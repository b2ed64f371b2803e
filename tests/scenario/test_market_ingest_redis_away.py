"""Redis goes away while the market is heard: the loop goes on, nothing is lost, nothing is written twice."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ingest_desk import MarketDesk, market_desk, market_settings, symbol_settings
from real_redis import RunningRedis, redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.feed_board import RedisFeedBoard
from adapters.redis.live_state import RedisLiveState
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from trading.model.market import MarketKind, Trade
from trading.services.hold_lease import HeldLease

pytestmark = pytest.mark.skipif(redis_binary() is None, reason="no redis-server")
SPY = market_settings(SPY=symbol_settings(bars=False))


@pytest.fixture
def redis() -> Iterator[RunningRedis]:
    """A server that keeps what it acknowledged."""
    with tempfile.TemporaryDirectory(prefix="r-") as folder:
        server = start_redis(Path(folder), append_only=True)
        try:
            yield server
        finally:
            server.kill()


def ports(redis: RunningRedis) -> dict[str, Any]:
    """The real ones."""
    return {
        "sink": RedisMarketSink(redis.url),
        "board": RedisFeedBoard(redis.url),
        "live_state": RedisLiveState(redis.url),
    }


def written(redis: RunningRedis) -> list[Trade]:
    """Every print in the outbox."""
    reader, rows = RedisMarketOutboxReader(redis.url, consumer="test"), list[Trade]()
    while entries := reader.read(500, 0.1).entries:
        rows += [
            row
            for entry in entries
            if entry.block.kind is MarketKind.TRADE
            for row in entry.block.rows
            if isinstance(row, Trade)
        ]
        reader.ack(entries)
    return rows


def test_no_print_is_lost_or_twice_when_redis_is_killed(redis: RunningRedis) -> None:
    """What was heard while it was away is written when it is back, in order."""

    def heard(desk: MarketDesk) -> int:
        feeds = desk.runner.session.feeds.symbols.get("SPY")
        return 0 if feeds is None else feeds.tape.total

    with market_desk(SPY, ports=lambda _: ports(redis)) as desk:
        desk.wait_for(lambda: heard(desk) > 50, "prints")
        redis.kill()
        before = heard(desk)
        desk.wait_for(lambda: heard(desk) > before + 100, "prints while nobody writes")
        desk.wait_for(lambda: desk.runner.spool.rows > 50, "a spool that grows")
        redis.restart()
        desk.wait_for(lambda: desk.runner.spool.rows < 50, "a spool that is empty again")
        desk.wait_for(lambda: "ingest" in RedisLiveState(redis.url).heartbeats(), "the heartbeat")
        total = heard(desk)
    trades = written(redis)
    assert len(trades) >= total
    assert len({(trade.at, trade.ordinal) for trade in trades}) == len(trades)
    assert [trade.at for trade in trades] == sorted(trade.at for trade in trades)


def test_minutes_and_the_lease_are_there_again_when_redis_is_flushed(redis: RunningRedis) -> None:
    """Indicators are not blind, and the listener goes on writing under a higher number."""
    state, live = RedisMarketState(redis.url), RedisLiveState(redis.url)
    lease = HeldLease(live, "ingest", "one", 3)
    assert lease.take() is not None

    def minutes() -> list[datetime]:
        return [bar.at for bar in state.read(["SPY"])["SPY"].bars]

    market = market_settings(SPY=symbol_settings())
    with market_desk(market, ports=lambda _: ports(redis) | {"lease": lease}) as desk:
        desk.wait_for(lambda: len(minutes()) >= 3, "minutes")
        before, number = minutes(), lease.lease
        live._client.flushall()
        desk.wait_for(lambda: set(before) < set(minutes()), lambda: f"{before} and more, not {minutes()}")
        desk.wait_for(lambda: lease.lease != number, "a lease of its own again")
        held, last = lease.lease, minutes()[-1]
        assert held is not None
        assert number is not None
        assert held.fencing > number.fencing
        journal = keys.OUTBOX_JOURNAL.at(topic="market", sym="SPY")
        desk.wait_for(
            lambda: live._client.hget(journal, "fencing:ingest") == str(held.fencing).encode(), "its number"
        )
        desk.wait_for(lambda: minutes()[-1] > last, "a minute under the new number")
