"""Two broker sessions on one Redis: the one that was followed writes, takes, claims and ends nothing more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from real_redis import RunningRedis

from adapters.redis import commands, keys
from adapters.redis.alerts import RedisAlertLog, RedisAlerts
from adapters.redis.commands import RedisCommandQueue
from adapters.redis.outbox import RedisOutbox, RedisOutboxReader
from trading.errors import FencedOutError
from trading.model.broker import BrokerCommand, BrokerEvent, BrokerEventKind, Outcome, Verb
from trading.ports.broker_commands import CommandResult
from trading.ports.live_state import Lease

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SKEW = "broker_clock_skew"


def lease(number: int) -> Lease:
    """A lease of the broker session by its number."""
    return Lease(component="broker", shard="writer", owner=f"process {number}", fencing=number)


def event(text: str) -> BrokerEvent:
    """Something that was heard."""
    return BrokerEvent(
        kind=BrokerEventKind.LINK, account="", heard_at=NOON, broker_at=NOON, payload={"text": text}
    )


def command(command_id: str) -> BrokerCommand:
    """One that is valid for a minute."""
    return BrokerCommand(
        command_id=command_id,
        verb=Verb.PLACE,
        sender="execution",
        fencing=7,
        issued_at=NOON,
        valid_until=NOON + timedelta(minutes=1),
        payload={},
    )


@dataclass(slots=True)
class Session:
    """What one process writes with."""

    outbox: RedisOutbox
    commands: RedisCommandQueue
    alerts: RedisAlerts

    def take_over(self, number: int) -> None:
        """As its runner does."""
        self.outbox.take_over(lease(number))
        self.commands.take_over(lease(number))
        self.alerts.fence(number)
        self.alerts.take_over()


@pytest.fixture
def sessions(redis_server: RunningRedis) -> Callable[[], Session]:
    """A call is a process that starts, before it has a lease."""
    url = redis_server.url
    RedisOutbox(url)._client.flushall()
    return lambda: Session(
        RedisOutbox(url), RedisCommandQueue(url), RedisAlerts(url, "broker", awaits_lease=True)
    )


def everything(driver: Any) -> dict[bytes, bytes]:
    """What the server holds, to the byte."""
    return {key: driver.dump(key) for key in driver.keys("*")}


def test_who_was_followed_writes_takes_claims_and_finishes_nothing(
    sessions: Callable[[], Session], redis_server: RunningRedis
) -> None:
    """An execution of the older one, a command in its hand, an order that it is about to send."""
    older, newer, sender = sessions(), sessions(), RedisCommandQueue(redis_server.url)
    older.take_over(1)
    older.outbox.append([event("older")])
    sender.send(command("c1"))
    (taken,) = older.commands.receive(10, 0)
    newer.take_over(2)
    before = everything(sender._client)
    refused = CommandResult(command_id="c1", outcome=Outcome.REFUSED, at=NOON, reason="late")
    late: tuple[Callable[[], object], ...] = (
        lambda: older.outbox.append([event("late")]),
        lambda: older.commands.claim_order_ref("ref", "c1"),
        lambda: older.commands.finish(taken, refused),
        lambda: older.outbox.take_over(lease(1)),
    )
    for each in late:
        with pytest.raises(FencedOutError):
            each()
    assert everything(sender._client) == before
    newer.outbox.append([event("newer")])
    entries = RedisOutboxReader(redis_server.url, consumer="a").read(10, 0.1).entries
    assert [entry.event.payload["text"] for entry in entries] == ["older", "newer"]
    (again,) = newer.commands.receive(10, 0)
    assert again.again, "what the older one had in its hand is looked for, and not done"
    assert newer.commands.claim_order_ref("ref", "c1") == "c1"


def test_a_command_that_the_older_one_takes_in_its_last_moment_is_looked_for(
    sessions: Callable[[], Session], redis_server: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was waiting in a read when it was followed: it drops what it got, and its successor finds it."""
    older, newer, sender = sessions(), sessions(), RedisCommandQueue(redis_server.url)
    older.take_over(1)
    newer.take_over(2)
    assert newer.commands.receive(10, 0) == []
    sender.send(command("c1"))
    with pytest.raises(FencedOutError):
        older.commands.receive(10, 0)
    monkeypatch.setattr(commands, "LOOK_EVERY_S", 0.0)
    (found,) = newer.commands.receive(10, 0)
    assert (found.command.command_id, found.again) == ("c1", True)
    assert newer.commands.receive(10, 0) == []


def test_who_was_followed_or_has_no_lease_yet_raises_and_ends_no_condition(
    sessions: Callable[[], Session], redis_server: RunningRedis
) -> None:
    """What the working one found stays open, and nothing stands open that nobody would end."""
    older, newer, third = sessions(), sessions(), sessions()
    log = RedisAlertLog(redis_server.url)
    older.take_over(1)
    newer.take_over(2)
    newer.alerts.raise_alert(SKEW, "the newer one's")
    (standing,) = log.open()
    older.alerts.end_alert(SKEW, "the clocks are together")
    older.alerts.raise_alert("broker_queue_full", "the older one's")
    older.alerts.take_over()
    third.alerts.end_alert(SKEW, "it thinks so")
    third.alerts.raise_alert("broker_code_326", "another process has the client id")
    (open_now,) = log.open()
    assert (open_now.text, open_now.identity) == ("the newer one's", standing.identity)
    third.alerts.fence(3)
    third.alerts._writer.write_waiting()
    assert [each.code for each in log.open()] == ["broker_code_326"], "written under the lease"


def test_a_session_that_is_alone_needs_no_lease(
    sessions: Callable[[], Session], redis_server: RunningRedis
) -> None:
    """A number that somebody left keeps nobody out who writes without one: benchmarks and tools."""
    sessions().take_over(5)
    alone = sessions()
    alone.outbox.append([event("alone")])
    assert alone.commands.claim_order_ref("ref", "c1") == "c1"
    journal = keys.OUTBOX_JOURNAL.at(topic="broker", sym="IBKR")
    assert alone.outbox._client.hget(journal, "fencing:broker") == b"5"
