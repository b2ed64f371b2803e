"""Alerts on their way from a real Redis to a real warehouse: each once, whatever happens to either."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alert_desk import NOON, silent_feed
from alert_ends import shows_the_end_of
from real_redis import RunningRedis

from adapters.clickhouse.alert_record import ClickHouseAlertRecord
from adapters.clickhouse.client import Warehouse
from adapters.redis import keys
from adapters.redis.alert_queue import RedisAlertQueue
from adapters.redis.alert_words import Word, write_word
from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.feed_board import RedisFeedBoard
from desk.residents.alert_drain import AlertDrain
from trading.errors import WarehouseUnavailableError
from trading.ports.alerts import AlertEntry, AlertRecord, RaisedAlert
from trading.services.drain_alerts import LOST_ALERT, drain_alerts
from trading.services.watch_feeds import FeedWatch, watch_feeds

ANALYTIC = Path(__file__).parents[3] / "sql" / "analytics" / "24_alerts_by_code_and_day.sql"


class Away(AlertRecord):
    """A warehouse that is down."""

    def record(self, entries: Sequence[AlertEntry]) -> None:
        """Refuse."""
        raise WarehouseUnavailableError("away")

    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Refuse."""
        raise WarehouseUnavailableError("away")

    def open(self, most: int) -> Sequence[RaisedAlert]:
        """Refuse."""
        raise WarehouseUnavailableError("away")


@pytest.fixture
def client(redis_server: RunningRedis) -> Iterator[Any]:
    """The driver, on an empty server."""
    log = RedisAlertLog(redis_server.url)
    log._client.flushall()
    yield log._client
    log.close()


@pytest.fixture
def alerts(redis_server: RunningRedis, client: Any) -> RedisAlerts:
    """Who raises."""
    return RedisAlerts(redis_server.url, "ingest")


@pytest.fixture
def queue(redis_server: RunningRedis, client: Any) -> RedisAlertQueue:
    """What waits."""
    return RedisAlertQueue(redis_server.url)


@pytest.fixture
def record(warehouse: Warehouse) -> ClickHouseAlertRecord:
    """Where they stay."""
    return ClickHouseAlertRecord(warehouse)


def test_every_alert_is_there_once_whoever_raised_it(
    alerts: RedisAlerts, client: Any, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """Two of one code at two times are two; a try that was repeated after a lost answer is one."""
    assert alerts.raise_alert("market_outbox_lost", "the first")
    client.delete(keys.ALERT_TOLD.at(code="market_outbox_lost"))
    assert alerts.raise_alert("market_outbox_lost", "an hour later")
    for _ in range(2):
        write_word(
            client,
            Word(identity="one", code="command_unreadable", text="sent twice", component="broker"),
        )
    client.xadd(keys.ALERTS_EMERGENCY.at(), {"code": "halted", "text": "by a hand"})
    record.record(queue.read(10).entries)  # killed before the mark moved
    assert drain_alerts(queue, record, alerts) == 5
    assert drain_alerts(queue, record, alerts) == 0
    told = record.newest(None, 10)
    assert sorted((each.code, each.text, each.component, each.level) for each in told) == [
        ("command_unreadable", "sent twice", "broker", "critical"),
        ("halted", "by a hand", "", "emergency"),
        ("market_outbox_lost", "an hour later", "ingest", "critical"),
        ("market_outbox_lost", "the first", "ingest", "critical"),
    ]
    assert record.newest(told[0].at - timedelta(seconds=1), 2) == told[2:]
    assert record.newest(told[-1].at + timedelta(hours=1), 10) == []


def test_they_wait_for_a_warehouse_that_is_away_and_what_had_to_go_is_said(
    alerts: RedisAlerts, client: Any, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """The newest are kept; that the oldest went is an alert of its own, once."""
    assert alerts.raise_alert("first", "stored")
    assert drain_alerts(queue, record, alerts) == 1
    for number in range(5):
        assert alerts.raise_alert(f"waits-{number}", "the warehouse is away")
        with pytest.raises(WarehouseUnavailableError):
            drain_alerts(queue, Away(), alerts)
    client.xtrim(keys.ALERTS_CRITICAL.at(), maxlen=3, approximate=False)  # as each XADD does at its bound
    assert drain_alerts(queue, record, alerts) == 3
    assert drain_alerts(queue, record, alerts) == 1
    assert drain_alerts(queue, record, alerts) == 0
    told = record.newest(None, 10)
    assert [each.code for each in told] == ["first", "waits-2", "waits-3", "waits-4", LOST_ALERT]
    assert "alerts:critical: what came after" in told[-1].text


def test_a_flushed_server_begins_anew_and_is_said_to_have_lost_what_was_not_stored(
    alerts: RedisAlerts, client: Any, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """What was stored stays, what comes after it is stored, and the loss is told once."""
    assert alerts.raise_alert("before", "stored")
    assert drain_alerts(queue, record, alerts) == 1
    assert drain_alerts(queue, record, alerts) == 0
    client.flushall()
    assert alerts.raise_alert("after", "raised anew")
    stored = [drain_alerts(queue, record, alerts) for _ in range(3)]
    assert stored == [1, 1, 0]
    assert [each.code for each in record.newest(None, 10)] == ["before", "after", LOST_ALERT]


def test_a_stream_that_began_anew_under_a_clock_that_was_set_back_is_read(
    alerts: RedisAlerts, client: Any, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """A mark ahead of all entries is no mark."""
    assert alerts.raise_alert("before", "stored")
    assert drain_alerts(queue, record, alerts) == 1
    client.delete(keys.ALERTS_CRITICAL.at())
    client.xadd(keys.ALERTS_CRITICAL.at(), {"code": "earlier", "text": "of another clock"}, id="1000-0")
    assert drain_alerts(queue, record, alerts) == 1
    assert [each.code for each in record.newest(None, 10)] == ["earlier", "before"]


@shows_the_end_of("feed_stale-")
def test_an_episode_is_one_alert_over_a_flushed_server_and_its_end_is_in_the_record(
    redis_server: RunningRedis,
    alerts: RedisAlerts,
    client: Any,
    queue: RedisAlertQueue,
    record: ClickHouseAlertRecord,
) -> None:
    """What still stands still is raised again, under its name; when the last feed of it tells, it is over."""
    watch, board, log = FeedWatch(), RedisFeedBoard(redis_server.url), RedisAlertLog(redis_server.url)

    def look(now: datetime, **ages_s: float) -> None:
        watch_feeds(watch, board, alerts, [silent_feed(name, age, now) for name, age in ages_s.items()], now)
        drain_alerts(queue, record, alerts)

    look(NOON, SPY=60, QQQ=60, IWM=1)
    (raised,) = record.newest(None, 10)
    assert (raised.market_at, raised.resolved_at) == (NOON, None)
    look(NOON + timedelta(seconds=10), SPY=1, QQQ=70, IWM=1)
    client.flushall()
    look(NOON + timedelta(seconds=20), SPY=1, QQQ=80, IWM=1)
    (again,) = [each for each in log.newest(None, 10) if each.code == raised.code]
    assert (again.text, again.resolved_at) == (raised.text, None), "QQQ is still silent"
    assert again.at > raised.at
    look(NOON + timedelta(seconds=30), SPY=1, QQQ=1, IWM=1)
    (ended,) = [each for each in record.newest(None, 10) if each.code == raised.code]
    assert (ended.at, ended.text, ended.resolved_by) == (raised.at, raised.text, "it tells again")
    assert ended.resolved_at is not None
    (shown,) = [each for each in log.newest(None, 10) if each.code == raised.code]
    assert (shown.resolved_at, shown.resolved_by) == (ended.resolved_at, "it tells again")


def test_what_a_process_left_open_ends_with_the_next_one(
    redis_server: RunningRedis, alerts: RedisAlerts, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """What goes on is one open alert, of the process that lives; those of another component stay."""
    board, later = RedisFeedBoard(redis_server.url), NOON + timedelta(minutes=1)
    assert RedisAlerts(redis_server.url, "vendors").raise_episode("feed_stale-other", "stands still", NOON)
    assert alerts.raise_alert("drain_stuck", "has no end")
    watch_feeds(FeedWatch(), board, alerts, [silent_feed("SPY", 60)], NOON)  # and this process was killed
    watch = FeedWatch()
    for now in (later, later + timedelta(seconds=10)):
        watch_feeds(watch, board, RedisAlerts(redis_server.url, "ingest"), [silent_feed("SPY", 60, now)], now)
    assert watch.knows_left, "it is asked once"
    drain_alerts(queue, record, alerts)
    told = {each.code: each.resolved_by for each in record.newest(None, 10)}
    first, second = sorted(code for code in told if "SPY" in code)
    assert told == {
        "feed_stale-other": "",
        "drain_stuck": "",
        first: "its process ended; what goes on is another alert",
        second: "",
    }


def test_alerts_are_counted_by_code_and_day(
    alerts: RedisAlerts, warehouse: Warehouse, queue: RedisAlertQueue, record: ClickHouseAlertRecord
) -> None:
    """Codes that differ in their symbol or time only are counted together; what is over is not open."""
    for name in ("SPY", "QQQ"):
        assert alerts.raise_episode(f"feed_stale-{name}", "stands still", NOON)
    assert alerts.raise_alert("drain_stuck", "once")
    assert alerts.end_episode("feed_stale-SPY", "it tells again", NOON)
    drain_alerts(queue, record, alerts)
    rows = warehouse.rows(ANALYTIC.read_text(encoding="utf-8"))
    assert [(row["code_begins"], row["alerts"], row["still_open"], row["components"]) for row in rows] == [
        ("feed_stale", 2, 1, ["ingest"]),
        ("drain_stuck", 1, 1, ["ingest"]),
    ]
    assert len({row["day"] for row in rows}) == 1
    assert [row["longest_s"] is not None for row in rows] == [True, False]


def test_every_column_says_what_it_means(warehouse: Warehouse) -> None:
    """In the warehouse itself."""
    rows = warehouse.rows("describe audit.alert_entries")
    assert [row["name"] for row in rows if not row["comment"].endswith(".")] == []


def test_the_drain_goes_on_after_an_outage_and_stores_the_last_words() -> None:
    """A service that is away is asked again; what is raised until the stop is stored."""
    asked, is_well = [], threading.Event()

    def drain() -> int:
        asked.append(1)
        if len(asked) < 3:
            raise WarehouseUnavailableError("away")
        is_well.set()
        return 0

    beside = AlertDrain(drain, every_s=0.001)
    beside.start()
    assert is_well.wait(20)
    beside.stop()
    rounds = len(asked)
    assert not beside._thread.is_alive()
    assert rounds >= 4, "and a last one at the stop"
