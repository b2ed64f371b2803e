"""What polling a vendor keeps: requests by minute, its figures, the breakers' changes up to the warehouse."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from real_redis import RunningRedis, start_redis

from adapters.clickhouse.breaker_log import ClickHouseBreakerLog
from adapters.clickhouse.client import Warehouse
from adapters.memory.vendor import (
    MemoryBreakerLog,
    MemoryBreakerOutbox,
    MemoryRequestLedger,
    MemoryVendorMonitor,
)
from adapters.redis import keys, vendor
from adapters.redis.vendor import RedisBreakerOutbox, RedisRequestLedger, RedisVendorMonitor
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.feeds.breaker import Breaker, BreakerLimits, BreakerTransition
from trading.ports.breaker_log import BreakerOutbox
from trading.ports.request_ledger import RequestLedger
from trading.services.drain_breakers import drain_breakers

NOON = datetime(2026, 11, 23, 17, 0, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
VENDOR = "alpha_vantage"


def transitions() -> tuple[BreakerTransition, ...]:
    """One opens, rests, closes."""
    limits = BreakerLimits(failures_max=1, open_s=60)
    breaker = Breaker(source=VENDOR, feed="chain", symbol="BRK B", limits=limits)
    breaker.failed(NOON, "status 500 — it's \\ 'busy'")
    breaker.allows(NOON + MINUTE)
    breaker.succeeded(NOON + MINUTE + timedelta(microseconds=7))
    return breaker.take_changes()


@pytest.fixture(params=["memory", "redis"])
def ledger(request: pytest.FixtureRequest) -> Iterator[RequestLedger]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield MemoryRequestLedger()
        return
    adapter = RedisRequestLedger(fresh(request).url)
    yield adapter
    adapter.close()


@pytest.fixture(params=["memory", "redis"])
def outbox(request: pytest.FixtureRequest) -> Iterator[BreakerOutbox]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        yield MemoryBreakerOutbox()
        return
    adapter = RedisBreakerOutbox(fresh(request).url)
    yield adapter
    adapter.close()


def fresh(request: pytest.FixtureRequest) -> RunningRedis:
    """The module's server without a key."""
    running: RunningRedis = request.getfixturevalue("redis_server")
    client_of(RedisRequestLedger(running.url)).flushall()
    return running


def client_of(adapter: Any) -> Any:
    """The driver under the adapter."""
    return adapter._client


def test_requests_are_counted_by_the_minute(ledger: RequestLedger) -> None:
    """Each vendor by itself; what is older than asked for is not told."""
    for at in (NOON, NOON + timedelta(seconds=40), NOON + timedelta(seconds=50), NOON - 3 * MINUTE):
        ledger.spend(VENDOR, at)
    ledger.spend("yahoo", NOON)
    noon = NOON.replace(second=0)
    assert ledger.spent(VENDOR, NOON - timedelta(days=1)) == {noon: 2, noon + MINUTE: 1, noon - 3 * MINUTE: 1}
    assert ledger.spent(VENDOR, NOON) == {noon: 2, noon + MINUTE: 1}
    assert ledger.spent("nobody", NOON) == {}


def test_a_ledger_forgets_what_no_plan_asks_for(redis_server: RunningRedis) -> None:
    """Its hash holds a day, and ends by itself."""
    ledger = RedisRequestLedger(redis_server.url)
    key = keys.VENDOR_REQUESTS.at(vendor=VENDOR)
    client_of(ledger).flushall()
    for days in range(5):
        ledger.spend(VENDOR, NOON - timedelta(days=days))
    ledger.spent(VENDOR, NOON - timedelta(days=1))
    assert client_of(ledger).hlen(key) == 2
    assert 0 < client_of(ledger).ttl(key) <= 2 * keys.DAY_S
    client_of(ledger).hset(key, "nonsense", 1)
    with pytest.raises(LiveStateUnavailableError, match="counts by minute"):
        ledger.spent(VENDOR, NOON)
    ledger.close()


def test_a_ledger_that_is_away_is_an_error_and_no_zero(tmp_path: Any) -> None:
    """Nobody may ask a vendor because nobody could count."""
    running = start_redis(tmp_path / "gone")
    ledger = RedisRequestLedger(running.url)
    ledger.spend(VENDOR, NOON)
    running.kill()
    with pytest.raises(LiveStateUnavailableError):
        ledger.spent(VENDOR, NOON)
    with pytest.raises(LiveStateUnavailableError):
        ledger.spend(VENDOR, NOON)


def test_figures_stand_beside_those_of_the_board(redis_server: RunningRedis) -> None:
    """Both write one hash: the vendor's figures leave the board's fields alone."""
    monitor = RedisVendorMonitor(redis_server.url)
    driver = client_of(monitor)
    driver.flushall()
    driver.hset(keys.MONITORING_ALPHA_VANTAGE.at(), "feeds", "20")
    monitor.tell(VENDOR, {"requests_day": "7", "held": ""})
    monitor.tell(VENDOR, {})
    monitor.tell_sentiment("AAPL", {"articles": "4"})
    assert driver.hgetall(keys.MONITORING_ALPHA_VANTAGE.at()) == {
        b"feeds": b"20",
        b"requests_day": b"7",
        b"held": b"",
    }
    assert driver.hget(keys.MONITORING_SENTIMENT.at(sym="AAPL"), "articles") == b"4"
    monitor.close()
    memory = MemoryVendorMonitor()
    memory.tell(VENDOR, {"requests_day": "7"})
    assert memory.vendors == {VENDOR: {"requests_day": "7"}}


def test_changes_come_as_they_went_until_they_are_acknowledged(outbox: BreakerOutbox) -> None:
    """In their order, with every field; reading takes nothing away."""
    outbox.append(transitions())
    first = outbox.read(2)
    assert [entry.transition for entry in first] == list(transitions()[:2])
    assert outbox.read(2) == first
    outbox.ack(first)
    outbox.ack([])
    assert [entry.transition for entry in outbox.read(10)] == list(transitions()[2:])


def test_a_full_outbox_of_changes_refuses(
    redis_server: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit is not half there."""
    outbox = RedisBreakerOutbox(redis_server.url, entries_max=4)
    client_of(outbox).flushall()
    outbox.append(transitions())
    with pytest.raises(OutboxFullError):
        outbox.append(transitions())
    assert len(outbox.read(10)) == 3
    monkeypatch.setattr("adapters.memory.vendor.ENTRIES_MAX", 2)
    with pytest.raises(OutboxFullError):
        MemoryBreakerOutbox().append(transitions())
    outbox.close()


def test_an_entry_that_is_no_change_stops_no_other(redis_server: RunningRedis) -> None:
    """It is logged and taken away."""
    outbox = RedisBreakerOutbox(redis_server.url)
    driver = client_of(outbox)
    driver.flushall()
    stream = keys.OUTBOX.at(topic=vendor.TOPIC, sym=vendor.SHARD)
    for fields in ({"change": b"{"}, {"other": b"x"}, {"change": b'{"v":1}'}):
        driver.xadd(stream, fields)
    outbox.append(transitions())
    assert len(outbox.read(10)) == 3
    assert driver.xlen(stream) == 3
    outbox.close()


def test_changes_reach_the_warehouse_once(redis_server: RunningRedis, warehouse: Warehouse) -> None:
    """A kill between the insert and the acknowledgement repeats the insert, which changes nothing."""
    outbox, log = RedisBreakerOutbox(redis_server.url), ClickHouseBreakerLog(warehouse)
    client_of(outbox).flushall()
    outbox.append(transitions())
    log.record(outbox.read(10))  # killed here
    assert drain_breakers(outbox, log) == 3
    assert drain_breakers(outbox, log) == 0
    log.record(())
    rows = warehouse.rows(
        "select source, feed, symbol, at, was, becomes, failures, reason "
        "from audit.breaker_transitions final order by at"
    )
    assert [BreakerTransition(**row) for row in rows] == list(transitions())


def test_a_change_told_under_another_entry_is_the_same_row(warehouse: Warehouse) -> None:
    """An append that was repeated after a lost answer stands twice in the stream, once in the table."""
    memory, log = MemoryBreakerOutbox(), ClickHouseBreakerLog(warehouse)
    memory.append(transitions())
    memory.append(transitions())
    assert drain_breakers(memory, log, most=4) == 4
    assert drain_breakers(memory, log, most=4) == 2
    assert warehouse.value("select count() from audit.breaker_transitions final") == 3


def test_the_log_in_memory_keeps_each_entry_once() -> None:
    """As the table does."""
    memory, log = MemoryBreakerOutbox(), MemoryBreakerLog()
    memory.append(transitions())
    log.record(memory.read(10))
    assert drain_breakers(memory, log) == 3
    assert list(log.kept.values()) == list(transitions())
