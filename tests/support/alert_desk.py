"""Alerts on a real Redis for tests: who raises, who looks, who takes them away, and time that passes."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from real_redis import let_the_clock_go_on

from adapters.redis import keys
from adapters.redis.alert_queue import RedisAlertQueue
from adapters.redis.alert_writer import AlertWriter
from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.connection import open_client
from trading.ports.alerts import AlertRecord, RaisedAlert
from trading.ports.feed_health import FeedHealth, FeedState
from trading.services.drain_alerts import drain_alerts

NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)


def silent_feed(symbol: str, age_s: float, now: datetime = NOON, limit_s: int = 15) -> FeedHealth:
    """Quotes as their reporter tells them, whose newest row is so old."""
    return FeedHealth(
        feed="level1",
        symbol=symbol,
        source="ibkr",
        state=FeedState.RUNNING,
        said_at=now,
        newest_at=now - timedelta(seconds=age_s),
        limit_s=limit_s,
    )


@dataclass(slots=True)
class Elapsed:
    """A monotonic clock that a test moves."""

    s: float = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


@dataclass(slots=True)
class AlertDesk:
    """One Redis, empty at first; `clock` is the machine's of every writer that is made here."""

    url: str
    clock: Elapsed = field(default_factory=Elapsed)
    client: Any = None
    log: RedisAlertLog = field(init=False)
    queue: RedisAlertQueue = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.client = open_client(self.url)
        self.client.flushall()
        self.log, self.queue = RedisAlertLog(self.url), RedisAlertQueue(self.url)

    def writer(self, component: str, retry_s: float = 0.01) -> AlertWriter:
        """One process's."""
        return AlertWriter(open_client(self.url), component, monotonic=self.clock, retry_s=retry_s)

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass for the server's conditions and for every writer.

        Its own clock goes on by a millisecond at least: what follows has a later id in whichever stream.
        """
        key, shift = keys.ALERTS_CONDITIONS.at(), minutes * 60_000
        for code, text in self.client.hgetall(key).items():
            told = json.loads(text)
            for name in ("raised_ms", "since_ms", "over_ms"):
                if told.get(name):
                    told[name] -= shift
            self.client.hset(key, code, json.dumps(told))
        for told_key in self.client.scan_iter(keys.ALERT_TOLD.matching()):
            self.client.delete(told_key)
        self.clock.s += minutes * 60
        let_the_clock_go_on(self.client)

    def drain(self, record: AlertRecord) -> int:
        """Take everything that waits to the warehouse."""
        alerts, words = RedisAlerts(self.url, "drain"), 0
        while stored := drain_alerts(self.queue, record, alerts):
            words += stored
        alerts.close()
        return words

    def words(self) -> list[tuple[str, str, str]]:
        """All that was written, in order: raised or resolved, code, text."""
        entries = [
            (entry_id, "raised", fields) for entry_id, fields in self.client.xrange(keys.ALERTS_CRITICAL.at())
        ] + [
            (entry_id, "resolved", fields)
            for entry_id, fields in self.client.xrange(keys.ALERTS_RESOLVED.at())
        ]
        in_order = sorted(entries, key=lambda each: [int(part) for part in each[0].split(b"-")])
        return [(word, fields[b"code"].decode(), fields[b"text"].decode()) for _, word, fields in in_order]

    def open_codes(self) -> list[str]:
        """What goes on."""
        return sorted(each.code for each in self.log.open())

    def shown(self, code: str) -> RaisedAlert:
        """An alert as people see it."""
        (found,) = [each for each in self.log.newest(None, 1_000) if each.code == code]
        return found
