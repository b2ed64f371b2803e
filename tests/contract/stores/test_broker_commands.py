"""What every command queue promises: sent once, never lost, never done twice unseen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from real_redis import RunningRedis

from adapters.memory.broker_commands import MemoryCommandQueue, MemoryCommands
from adapters.redis import keys
from adapters.redis.commands import RedisCommandQueue
from trading.errors import CommandQueueFullError
from trading.model.broker import BrokerCommand, Outcome, Verb
from trading.ports.broker_commands import CommandQueue, CommandResult, ReceivedCommand

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
Queues = Callable[[], CommandQueue]


def command(command_id: str, fencing: int = 7, sender: str = "execution", **payload: Any) -> BrokerCommand:
    """A command valid for a minute."""
    return BrokerCommand(
        command_id=command_id,
        verb=Verb.PLACE,
        sender=sender,
        fencing=fencing,
        issued_at=NOON,
        valid_until=NOON + timedelta(minutes=1),
        payload=payload,
    )


def outcome(received: ReceivedCommand, kind: Outcome = Outcome.DONE) -> CommandResult:
    """What became of it."""
    return CommandResult(
        command_id=received.command.command_id, outcome=kind, at=NOON, reason="r", detail={"perm_id": "9"}
    )


@pytest.fixture(params=["memory", "redis"])
def queues(request: pytest.FixtureRequest) -> Queues:
    """Each implementation in turn, empty; a call is a process that starts."""
    if request.param == "memory":
        state = MemoryCommands()
        return lambda: MemoryCommandQueue(state, waiting_max=3)
    running: RunningRedis = request.getfixturevalue("redis_server")
    RedisCommandQueue(running.url)._client.flushall()
    return lambda: RedisCommandQueue(running.url, waiting_max=3)


def test_a_command_arrives_whole_and_its_result_goes_back(queues: Queues) -> None:
    """Nothing is known before the end; afterwards the sender reads it."""
    sender, session = queues(), queues()
    told = command("c1", quantity="2", legs=[1, 2])
    assert sender.send(told) is None
    assert sender.result("c1") is None
    (received,) = session.receive(10, 0)
    assert received.command == told
    assert not received.again
    assert session.receive(10, 0) == []
    session.finish(received, outcome(received))
    assert sender.result("c1") == outcome(received)
    assert sender.result("unknown") is None


def test_an_id_is_sent_once(queues: Queues) -> None:
    """A repeat neither queues it again nor after its end; it answers what became of it."""
    queue = queues()
    queue.send(command("c1"))
    assert queue.send(command("c1")) is None
    (received,) = queue.receive(10, 0)
    queue.finish(received, outcome(received))
    assert queue.send(command("c1")) == outcome(received)
    assert queue.receive(10, 0) == []


def test_a_session_that_starts_again_gets_what_was_unfinished_marked(queues: Queues) -> None:
    """Unfinished commands come first, in order, marked as given before; then the new ones."""
    queues().send(command("c1"))
    queues().send(command("c2"))
    assert len(queues().receive(10, 0)) == 2
    queues().send(command("c3"))
    session = queues()
    left = session.receive(10, 0)
    assert [(item.command.command_id, item.again) for item in left] == [("c1", True), ("c2", True)]
    new = session.receive(10, 0)
    assert [(item.command.command_id, item.again) for item in new] == [("c3", False)]
    session.finish(left[0], outcome(left[0]))
    assert [item.command.command_id for item in queues().receive(10, 0)] == ["c2", "c3"]


def test_a_paused_worker_cannot_send_after_its_successor(queues: Queues) -> None:
    """A lower fencing number of the same sender is refused for good; other senders count for themselves."""
    queue = queues()
    queue.send(command("new", fencing=8))
    refused = queue.send(command("old", fencing=7))
    assert refused is not None
    assert refused.outcome is Outcome.REFUSED
    assert "fencing" in refused.reason
    assert queue.result("old") == refused
    assert queue.send(command("other", fencing=1, sender="coverage")) is None
    assert [item.command.command_id for item in queue.receive(10, 0)] == ["new", "other"]


def test_a_result_stands_unless_it_was_a_doubt(queues: Queues) -> None:
    """In doubt becomes done when it is known; done stays done."""
    queue = queues()
    queue.send(command("c1"))
    (received,) = queue.receive(10, 0)
    queue.finish(received, outcome(received, Outcome.IN_DOUBT))
    queue.finish(received, outcome(received, Outcome.DONE))
    queue.finish(received, outcome(received, Outcome.REFUSED))
    assert queue.result("c1") == outcome(received, Outcome.DONE)


def test_an_order_ref_belongs_to_the_first_command_that_claims_it(queues: Queues) -> None:
    """For this process and the next; asking again gives the same answer, also for any text."""
    for order_ref in ("r1", "with blanks: {and} *signs*"):
        assert queues().claim_order_ref(order_ref, "c1") == "c1"
        assert queues().claim_order_ref(order_ref, "c1") == "c1"
        assert queues().claim_order_ref(order_ref, "c2") == "c1"


def test_a_full_queue_refuses(queues: Queues) -> None:
    """Above its bound nothing is queued, and the id may be sent later."""
    queue = queues()
    for number in range(3):
        queue.send(command(f"c{number}"))
    with pytest.raises(CommandQueueFullError):
        queue.send(command("c3"))
    first = queue.receive(1, 0)[0]
    queue.finish(first, outcome(first))
    assert queue.send(command("c3")) is None


def test_an_entry_that_is_no_command_stops_nobody(redis_server: RunningRedis) -> None:
    """It is taken away with an alert, and the command behind it arrives."""
    queue = RedisCommandQueue(redis_server.url)
    client = queue._client
    client.flushall()
    client.xadd(keys.COMMANDS.at(topic="broker", sym="IBKR"), {"command": "{"})
    queue.send(command("c1"))
    assert [item.command.command_id for item in queue.receive(10, 0)] == ["c1"]
    assert client.xlen(keys.COMMANDS.at(topic="broker", sym="IBKR")) == 1
    assert client.xlen(keys.ALERTS_CRITICAL.at()) == 1
