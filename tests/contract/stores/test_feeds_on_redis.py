"""The watch over feeds on a real Redis that goes away and comes back: no silence without its alert."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alert_desk import silent_feed
from real_redis import RunningRedis, start_redis

from adapters.redis import keys
from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.feed_board import RedisFeedBoard
from trading.errors import LiveStateUnavailableError
from trading.ports.feed_health import FeedState
from trading.services.watch_feeds import FeedEventKind, FeedWatch, watch_feeds

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 11, 20, 21, tzinfo=UTC)
SYMBOLS = [f"S{number:02}" for number in range(30)]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RunningRedis]:
    """A server that keeps what it was told."""
    server = start_redis(tmp_path, append_only=True)
    yield server
    server.kill()


def test_no_feed_stands_still_without_its_alert(redis: RunningRedis) -> None:
    """Ten minutes of random silences with Redis away twice: every episode is told, each once."""
    chance, watch = random.Random(7), FeedWatch()
    board, alerts, log = RedisFeedBoard(redis.url), RedisAlerts(redis.url), RedisAlertLog(redis.url)
    newest, begun, missed = dict.fromkeys(SYMBOLS, OPEN), dict.fromkeys(SYMBOLS, 0), 0
    for step in range(1, 61):
        now = OPEN + timedelta(seconds=10 * step)
        if step in (20, 40):
            redis.kill()
        if step in (23, 44):
            redis.restart()
        newest |= {symbol: now for symbol in SYMBOLS if chance.random() < 0.6}
        feeds = [silent_feed(symbol, (now - newest[symbol]).total_seconds(), now) for symbol in SYMBOLS]
        before = {key: memory.episode for key, memory in watch._known.items()}
        try:
            watch_feeds(watch, board, alerts, feeds, now)
        except LiveStateUnavailableError:
            missed += 1
        for key, memory in watch._known.items():
            begun[key[2]] += memory.episode is not None and before.get(key) is None
        if step not in range(20, 23) and step not in range(40, 44):
            told = " ".join(alert.text for alert in log.newest(None, 1_000) if "stale" in alert.code)
            still = [each.symbol for each in board.feeds() if each.state is FeedState.STALE]
            assert all(f"{symbol} " in told for symbol in still)
    assert missed == 7
    assert sum(begun.values()) > 25
    texts = [alert.text for alert in log.newest(None, 1_000) if alert.code.startswith("feed_stale")]
    told_times = {symbol: sum(f" {symbol} " in text for text in texts) for symbol in SYMBOLS}
    outages = sum(begun.values()) - sum(told_times.values())
    assert 0 <= outages <= len(SYMBOLS), "two silences of one feed within one outage are one alert"
    assert all(told_times[symbol] >= 1 for symbol in SYMBOLS if begun[symbol])
    assert all(told_times[symbol] <= begun[symbol] for symbol in SYMBOLS)


def test_what_stands_still_is_in_the_table_until_the_close(redis: RunningRedis) -> None:
    """`monitoring:data:stale` names the symbol and its age in hours, and is empty out of hours."""
    watch, board, alerts = FeedWatch(), RedisFeedBoard(redis.url), RedisAlerts(redis.url)
    last = CLOSE - timedelta(seconds=30)
    watch_feeds(watch, board, alerts, [silent_feed("SPY", 0, last)], CLOSE - timedelta(seconds=10))
    stale = keys.MONITORING_STALE.at()
    assert board._client.hgetall(stale) == {b"SPY": b"20.0"}
    judged = watch_feeds(watch, board, alerts, [silent_feed("SPY", 0, last)], CLOSE)
    assert board._client.hgetall(stale) == {}
    assert [event.kind for event in judged.events] == [FeedEventKind.CLEARED]
    assert [each.state for each in board.feeds()] == [FeedState.IDLE]
