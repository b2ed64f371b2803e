"""What every outbox promises: nothing dropped, nothing twice by a repeat, nothing lost unseen."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from real_redis import RunningRedis, let_the_clock_go_on

from adapters.memory.outbox import MemoryOutbox, MemoryOutboxReader, MemoryStream
from adapters.redis import keys
from adapters.redis.outbox import RedisOutbox, RedisOutboxReader
from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.broker import BrokerEvent, BrokerEventKind
from trading.ports.outbox import Outbox, OutboxReader

NOON = datetime(2026, 11, 13, 17, 0, 0, 123456, tzinfo=UTC)
BOUND = 50


@dataclass(frozen=True, slots=True)
class Sides:
    """A writer, a way to get readers, and a way to lose everything."""

    outbox: Outbox
    stream: MemoryStream | None
    url: str

    def reader(self, consumer: str = "a") -> OutboxReader:
        """A consumer that starts under this name."""
        if self.stream is not None:
            return MemoryOutboxReader(self.stream, consumer)
        return RedisOutboxReader(self.url, consumer=consumer)

    def flush(self) -> None:
        """Lose everything; what follows is of a later millisecond."""
        if self.stream is not None:
            self.stream.flush()
        else:
            client(self.outbox).flushall()
            let_the_clock_go_on(client(self.outbox))

    def append_garbage(self) -> str:
        """Put an entry there that no writer of ours makes."""
        if isinstance(self.outbox, MemoryOutbox):
            return self.outbox.append_unreadable("{")
        stream = keys.OUTBOX.at(topic="broker", sym="IBKR")
        entry_id: bytes = client(self.outbox).xadd(stream, {"event": "{", "sequence": "x"})
        return entry_id.decode()

    def alerts(self) -> int:
        """How many alerts were written."""
        if isinstance(self.outbox, MemoryOutbox):
            return len(self.outbox.alerts)
        return int(client(self.outbox).xlen(keys.ALERTS_CRITICAL.at()))


def client(outbox: Outbox) -> Any:
    """The driver under the adapter."""
    assert isinstance(outbox, RedisOutbox)
    return outbox._client


@pytest.fixture(params=["memory", "redis"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        stream = MemoryStream()
        yield Sides(MemoryOutbox(stream, BOUND), stream, "")
        return
    running: RunningRedis = request.getfixturevalue("redis_server")
    outbox = RedisOutbox(running.url, entries_max=BOUND)
    client(outbox).flushall()
    yield Sides(outbox, None, running.url)


def event(number: int, **payload: Any) -> BrokerEvent:
    """An account value that says its number."""
    return BrokerEvent(
        kind=BrokerEventKind.ACCOUNT_VALUE,
        heard_at=NOON,
        broker_at=NOON,
        account="DU1",
        payload={"number": number, **payload},
    )


def numbers(reader: OutboxReader, entries_max: int = 100) -> list[int]:
    """What one read gives."""
    return [entry.event.payload["number"] for entry in reader.read(entries_max, 0).entries]


def test_entries_come_in_order_with_contiguous_numbers_and_all_that_was_said(sides: Sides) -> None:
    """One epoch, sequence 1, 2, 3 over several appends; the event reads back equal."""
    first = sides.outbox.append([event(1, text="ümläut {} ' \x00", none=None), event(2)])
    second = sides.outbox.append([event(3)])
    assert first.follows(None)
    assert second.follows(first)
    assert not first.follows(second)
    batch = sides.reader().read(10, 0)
    assert [entry.sequence for entry in batch.entries] == [1, 2, 3]
    assert {entry.epoch for entry in batch.entries} == {first.epoch} == {second.epoch}
    assert batch.entry_ids == (*first.entry_ids, *second.entry_ids)
    assert batch.entries[0].event == event(1, text="ümläut {} ' \x00", none=None)


def test_what_is_not_acknowledged_is_given_again_and_what_is_never(sides: Sides) -> None:
    """The same consumer gets its own first, whole or in parts, then the rest; an ack ends it."""
    sides.outbox.append([event(number) for number in range(1, 6)])
    reader = sides.reader()
    first = reader.read(2, 0)
    assert numbers(reader, 2) == [1, 2]
    assert reader.ack(first.entry_ids) == 2
    assert reader.ack(first.entry_ids) == 0
    assert numbers(reader) == [3, 4, 5]
    assert reader.backlog().entries == 3
    assert reader.backlog().given == 3
    assert reader.backlog().oldest_at is not None


def test_what_is_new_is_read_beside_what_is_held(sides: Sides) -> None:
    """It leaves what this consumer holds alone; a plain read gives all of it again, in order."""
    sides.outbox.append([event(1), event(2)])
    reader = sides.reader()
    held = reader.read(2, 0)
    assert not reader.read_new(10, 0).entry_ids
    sides.outbox.append([event(number) for number in range(3, 6)])
    assert [entry.event.payload["number"] for entry in reader.read_new(2, 0).entries] == [3, 4]
    assert numbers(reader) == [1, 2, 3, 4]
    reader.ack(held.entry_ids)
    assert numbers(reader, 1) == [3]
    assert [entry.event.payload["number"] for entry in reader.read_new(10, 0).entries] == [5]


def test_a_consumer_that_died_gets_its_entries_again_under_its_name(sides: Sides) -> None:
    """A new process with the same name begins with what the old one held."""
    sides.outbox.append([event(1), event(2)])
    assert numbers(sides.reader("a"), 1) == [1]
    again = sides.reader("a")
    assert numbers(again) == [1]
    again.ack(again.read(10, 0).entry_ids)
    assert numbers(again) == [2]


def test_entries_of_a_dead_consumer_are_claimed_after_its_time(sides: Sides) -> None:
    """Another consumer sees them only by a claim, and a claim takes only what was left long enough."""
    sides.outbox.append([event(1), event(2)])
    assert numbers(sides.reader("dead")) == [1, 2]
    other = sides.reader("b")
    assert numbers(other) == []
    assert other.claim(10, 3600) == 0
    assert numbers(other) == []
    assert other.claim(1, 0) == 1
    assert numbers(other) == [1]
    assert other.claim(10, 0) >= 1
    assert numbers(other) == [1, 2]


def test_a_full_outbox_refuses_whole_and_drops_nothing(sides: Sides) -> None:
    """Above the bound nothing of the append is stored and an alert is written; an ack makes room."""
    sides.outbox.append([event(number) for number in range(BOUND - 1)])
    with pytest.raises(OutboxFullError):
        sides.outbox.append([event(100), event(101)])
    assert sides.alerts() == 1
    sides.outbox.append([event(100)])
    reader = sides.reader()
    assert len(numbers(reader)) == BOUND
    with pytest.raises(OutboxFullError):
        sides.outbox.append([event(101)])
    reader.ack(reader.read(1, 0).entry_ids)
    last = sides.outbox.append([event(101)])
    assert last.last_sequence == BOUND + 1


def test_a_lost_stream_begins_a_new_epoch(sides: Sides) -> None:
    """After a flush the numbers start again under another epoch, the writer sees it, and reading goes on."""
    before = sides.outbox.append([event(1)])
    reader = sides.reader()
    assert numbers(reader) == [1]
    sides.flush()
    after = sides.outbox.append([event(2)])
    assert after.epoch != before.epoch
    assert after.epoch > before.epoch
    assert after.first_sequence == 1
    assert not after.follows(before)
    reader.ack(before.entry_ids)
    assert numbers(reader) == [2]


def test_a_stream_that_is_lost_while_a_reader_waits_is_no_failure(sides: Sides) -> None:
    """The reader has nothing and goes on with what comes after the loss."""
    sides.outbox.append([event(1)])
    reader = sides.reader()
    reader.ack(reader.read(10, 0.1).entry_ids)
    loss = threading.Timer(0.2, sides.flush)
    loss.start()
    assert reader.read(10, 2.0).entries == ()
    loss.join()
    sides.outbox.append([event(2)])
    assert numbers(reader) == [2]


def test_an_entry_that_is_no_event_is_handed_over_as_such(sides: Sides) -> None:
    """It stops nobody: the entries around it are read, and it is acknowledged like them."""
    sides.outbox.append([event(1)])
    broken = sides.append_garbage()
    sides.outbox.append([event(2)])
    reader = sides.reader()
    batch = reader.read(10, 0)
    assert [entry.event.payload["number"] for entry in batch.entries] == [1, 2]
    assert [entry.entry_id for entry in batch.unreadable] == [broken]
    assert "{" in batch.unreadable[0].text
    assert reader.ack(batch.entry_ids) == 3
    assert reader.read(10, 0).entry_ids == ()


def test_nothing_is_no_append(sides: Sides) -> None:
    """An append of no events is wrong use."""
    with pytest.raises(InvalidFieldError, match="events"):
        sides.outbox.append([])


@pytest.fixture
def redis_sides(redis_server: RunningRedis) -> Sides:
    """Redis alone, empty."""
    outbox = RedisOutbox(redis_server.url)
    client(outbox).flushall()
    return Sides(outbox, None, redis_server.url)


def test_an_append_whose_answer_was_lost_is_done_once(
    redis_sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script runs, the answer is lost, the repeat finds its token: one entry, the same answer."""
    import redis

    connection = client(redis_sides.outbox)
    answers = connection.evalsha
    lost: list[int] = []

    def losing(*arguments: Any) -> Any:
        answer = answers(*arguments)
        if not lost:
            lost.append(1)
            raise redis.ConnectionError("the answer was lost")
        return answer

    redis_sides.outbox.append([event(0)])
    monkeypatch.setattr(connection, "evalsha", losing)
    appended = redis_sides.outbox.append([event(1), event(2)])
    assert lost
    assert appended.first_sequence == 2
    assert numbers(redis_sides.reader()) == [0, 1, 2]


def test_entries_whose_delivery_was_lost_are_read_again(
    redis_sides: Sides, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server gave them, the connection broke: the retry finds them among what the consumer holds."""
    import redis

    reader = redis_sides.reader()
    assert numbers(reader) == []
    redis_sides.outbox.append([event(1)])
    connection = reader._client  # type: ignore[attr-defined]
    given = connection.xreadgroup
    lost: list[int] = []

    def losing(*arguments: Any, **named: Any) -> Any:
        answer = given(*arguments, **named)
        if not lost:
            lost.append(1)
            raise redis.ConnectionError("the answer was lost")
        return answer

    monkeypatch.setattr(connection, "xreadgroup", losing)
    assert numbers(reader) == [1]


def test_a_text_that_no_utf8_holds_goes_through(redis_sides: Sides) -> None:
    """Half a surrogate pair and numbers beyond 64 bits read back equal; a decimal is its text."""
    redis_sides.outbox.append([event(1, text="half \ud83d", big=2**70, money=Decimal("1.50"))])
    payload = redis_sides.reader().read(1, 0).entries[0].event.payload
    assert payload["text"] == "half \ud83d"
    assert payload["big"] == 2**70
    assert payload["money"] == "1.5"


def test_an_event_that_no_stream_holds_is_refused_before_anything_is_stored(redis_sides: Sides) -> None:
    """Too long, or no JSON: InvalidFieldError, and the good event beside it is not stored either."""
    with pytest.raises(InvalidFieldError):
        redis_sides.outbox.append([event(1), event(2, text="x" * 2_000_000)])
    with pytest.raises(InvalidFieldError):
        redis_sides.outbox.append([event(1), event(2, what=object())])
    assert numbers(redis_sides.reader()) == []


def test_large_appends_go_in_parts_and_stay_in_order(redis_sides: Sides) -> None:
    """2,500 events are three scripts, one run of numbers."""
    appended = redis_sides.outbox.append([event(number) for number in range(2_500)])
    assert appended.last_sequence == 2_500
    assert len(set(appended.entry_ids)) == 2_500
    reader = redis_sides.reader()
    assert numbers(reader, 5_000) == list(range(2_500))
    assert reader.ack(appended.entry_ids) == 2_500


def test_an_entry_that_another_hand_deleted_holds_nobody_up(redis_sides: Sides) -> None:
    """It was given out and is gone: the rest is read, and the group forgets it."""
    first, second = redis_sides.outbox.append([event(1), event(2)]).entry_ids
    reader = redis_sides.reader()
    assert numbers(reader) == [1, 2]
    client(redis_sides.outbox).xdel(keys.OUTBOX.at(topic="broker", sym="IBKR"), first)
    again = redis_sides.reader()
    assert numbers(again) == [2]
    assert again.ack([second]) == 1
    assert numbers(again) == []
    assert again.backlog().given == 0
