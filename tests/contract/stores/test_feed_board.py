"""What every feed board promises: each feed as it was said last, and those that are silent are gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from real_redis import RunningRedis

from adapters.memory.feed_board import MemoryFeedBoard
from adapters.redis import keys
from adapters.redis.feed_board import RedisFeedBoard
from trading.ports.feed_health import FeedBoard, FeedHealth, FeedState

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY = FeedHealth(
    feed="quote",
    symbol="SPY",
    source="ibkr",
    state=FeedState.RUNNING,
    said_at=NOON,
    newest_at=NOON,
    age_s=0.25,
    rows=100,
    rows_per_s=12.5,
    reconnects=2,
    limit_s=15.0,
)


@pytest.fixture(params=["memory", "redis"])
def board(request: pytest.FixtureRequest) -> Iterator[FeedBoard]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield MemoryFeedBoard()
        return
    running: RunningRedis = request.getfixturevalue("redis_server")
    adapter = RedisFeedBoard(running.url)
    client(adapter).flushall()
    yield adapter
    adapter.close()


def client(adapter: Any) -> Any:
    """The driver under the adapter."""
    return adapter._client


def test_feeds_are_as_they_were_said_last(board: FeedBoard) -> None:
    """By source, feed and symbol; saying nothing changes nothing."""
    chain = replace(SPY, feed="chain", symbol="BRK B", source="alpha_vantage", age_s=None, text="it's late")
    board.say([SPY, chain])
    board.say([replace(SPY, rows=101)])
    board.say([])
    assert board.feeds() == [chain, replace(SPY, rows=101)]


def test_a_board_nobody_wrote_on_is_empty(board: FeedBoard) -> None:
    """No feed is no error."""
    assert list(board.feeds()) == []


@pytest.fixture
def redis_board(redis_server: RunningRedis) -> RedisFeedBoard:
    """Redis alone, empty."""
    adapter = RedisFeedBoard(redis_server.url)
    client(adapter).flushall()
    return adapter


def test_a_feed_that_says_nothing_for_its_life_is_gone(redis_server: RunningRedis) -> None:
    """Its field is taken away by whoever reads after its deadline; the others stay."""
    short, long = RedisFeedBoard(redis_server.url, life_s=0), RedisFeedBoard(redis_server.url)
    client(long).flushall()
    short.say([SPY])
    long.say([replace(SPY, symbol="QQQ")])
    assert [feed.symbol for feed in long.feeds()] == ["QQQ"]
    assert client(long).hlen(keys.FEEDS.at()) == 1


@pytest.mark.parametrize("text", [b"", b"x", b"99999999999999 {", b"99999999999999 {}", b"{}", b"\xff 1"])
def test_a_field_that_nobody_of_ours_wrote_hides_no_feed(redis_board: RedisFeedBoard, text: bytes) -> None:
    """It is taken off, and the others are told."""
    redis_board.say([SPY])
    client(redis_board).hset(keys.FEEDS.at(), "x", text)
    assert list(redis_board.feeds()) == [SPY]
    assert client(redis_board).hlen(keys.FEEDS.at()) == 1


def test_what_stands_still_is_named_with_its_age_until_it_moves(redis_board: RedisFeedBoard) -> None:
    """The oldest of a symbol's ages, over all sources; running or idle again, it is off the table."""
    stale = replace(SPY, state=FeedState.STALE, age_s=31.0)
    other = replace(stale, feed="chain", source="alpha_vantage", age_s=90.0)
    redis_board.say([stale])
    redis_board.say([other])
    key = keys.MONITORING_STALE.at()
    assert client(redis_board).hgetall(key) == {b"SPY": b"90.0"}
    redis_board.say([replace(other, state=FeedState.IDLE)])
    assert client(redis_board).hgetall(key) == {b"SPY": b"31.0"}
    redis_board.say([SPY])
    assert client(redis_board).hgetall(key) == {}


def test_an_open_breaker_does_not_take_a_silent_feed_off_the_table(redis_board: RedisFeedBoard) -> None:
    """Who goes by the table learns of it whatever state the feed is shown in, until it is silent no more."""
    broken = replace(SPY, state=FeedState.BROKEN, age_s=31.0, is_silent=True)
    redis_board.say([broken])
    key = keys.MONITORING_STALE.at()
    assert client(redis_board).hgetall(key) == {b"SPY": b"31.0"}
    assert client(redis_board).hget(keys.MONITORING_BROKER.at(), "stale_symbols") == b"SPY"
    redis_board.say([replace(broken, is_silent=False)])
    assert client(redis_board).hgetall(key) == {}


def test_totals_and_symbols_health_follow_from_the_board(redis_board: RedisFeedBoard) -> None:
    """The names that older tools read: the broker's metrics, the vendor's, a symbol's chain and news."""
    redis_board.say([SPY, replace(SPY, symbol="QQQ", state=FeedState.STALE, age_s=20.0, refused=3)])
    chain = replace(SPY, feed="chain")
    redis_board.say([replace(chain, source="alpha_vantage", age_s=7.0), chain, replace(SPY, feed="news")])
    broker = client(redis_board).hgetall(keys.MONITORING_BROKER.at())
    assert (broker[b"feeds"], broker[b"rows"], broker[b"refused"]) == (b"4", b"400", b"3")
    assert (broker[b"running"], broker[b"stale"], broker[b"stale_symbols"]) == (b"3", b"1", b"QQQ")
    assert broker[b"reconnects"] == b"2"
    vendor = client(redis_board).hgetall(keys.MONITORING_ALPHA_VANTAGE.at())
    assert vendor[b"feeds"] == b"1"
    chains = client(redis_board).hgetall(keys.MONITORING_OPTIONS.at(sym="SPY"))
    assert (chains[b"ibkr_chain_age_s"], chains[b"alpha_vantage_chain_age_s"]) == (b"0.25", b"7.0")
    assert client(redis_board).hget(keys.MONITORING_SENTIMENT.at(sym="SPY"), "ibkr_news_state") == b"running"
