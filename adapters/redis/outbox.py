"""The outbox in Redis: one script appends, a consumer group reads, and what is acknowledged is deleted.

The stream's length is therefore the backlog. Redis 6.2 commands only; all keys of a script share the tag.
Entry ids are given by the server: unlike a number of ours they go on growing where a journal was lost.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import redis

from adapters.redis import broker_values, keys
from adapters.redis.alert_writer import AlertWriter
from adapters.redis.connection import (
    ANSWER_TIMEOUT_S,
    asked,
    group_exists,
    group_is_missing,
    open_client,
    run_script,
)
from adapters.redis.market_fence import StreamFence
from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.broker import BrokerEvent, OutboxEntry
from trading.ports.live_state import Lease
from trading.ports.outbox import (
    EVENTS_PER_APPEND_MAX,
    OUTBOX_ENTRIES_MAX,
    READ_ENTRIES_MAX,
    Appended,
    Outbox,
    OutboxBacklog,
    OutboxBatch,
    OutboxReader,
    UnreadableEntry,
)

logger = logging.getLogger(__name__)

BROKER_TOPIC = "broker"
IBKR_SHARD = "IBKR"
STREAM = keys.OUTBOX.at(topic=BROKER_TOPIC, sym=IBKR_SHARD)
JOURNAL = keys.OUTBOX_JOURNAL.at(topic=BROKER_TOPIC, sym=IBKR_SHARD)
DRAIN_GROUP = "drain"
FULL_ALERT = "outbox_full"
TOKEN_LIFE_MS = 60_000  # a repeat after a lost answer comes within ANSWER_TIMEOUT_S times a few
ACKS_PER_SCRIPT_MAX = 1_000  # Lua unpacks no more than about 8,000 values
READ_WAIT_MAX_S = 5.0

Told = list[tuple[bytes, Mapping[bytes, bytes] | None]]


class RedisOutbox(Outbox):
    """The writer's side; may be shared between threads."""

    def __init__(self, url: str, *, entries_max: int = OUTBOX_ENTRIES_MAX) -> None:
        self._client = open_client(url)
        self._alerts = AlertWriter(self._client, BROKER_TOPIC)
        self._was_full = True  # what a process before this one left open ends with the first append
        self._entries_max = entries_max
        self._fence = StreamFence(self._client, BROKER_TOPIC)

    def take_over(self, lease: Lease) -> None:
        """Leave the lease's number in the journal."""
        self._fence.raise_to(lease, [IBKR_SHARD])
        self._alerts.fence(lease.fencing)

    def append(self, events: Sequence[BrokerEvent]) -> Appended:
        """Append events in order; nothing at all when one of them cannot be printed."""
        if not events:
            raise InvalidFieldError("events", "at least one event", events)
        texts = [broker_values.event_text(event) for event in events]
        starts = range(0, len(texts), EVENTS_PER_APPEND_MAX)
        parts = [self._append(texts[start : start + EVENTS_PER_APPEND_MAX]) for start in starts]
        return Appended(
            epoch=parts[-1].epoch,
            first_sequence=parts[0].first_sequence,
            last_sequence=parts[-1].last_sequence,
            entry_ids=tuple(entry_id for part in parts for entry_id in part.entry_ids),
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _append(self, texts: Sequence[bytes]) -> Appended:
        token = uuid4().hex
        done = keys.OUTBOX_APPENDED.at(topic=BROKER_TOPIC, sym=IBKR_SHARD, token=token)
        limits = (self._entries_max, token[:8], TOKEN_LIFE_MS)
        arguments = (*limits, *self._fence.arguments, *texts)
        answer = run_script(self._client, "append_events", [STREAM, JOURNAL, done], arguments)
        said = [part.decode() for part in answer]
        if said[0] == "fenced":
            raise self._fence.refusal(IBKR_SHARD, said[1])
        if said[0] == "full":
            self._refuse(int(said[1]), len(texts))
        if self._was_full:
            self._was_full = not self._alerts.end(FULL_ALERT, "it takes events again")
        first = int(said[2])
        return Appended(
            epoch=said[1],
            first_sequence=first,
            last_sequence=first + len(texts) - 1,
            entry_ids=tuple(said[3:]),
        )

    def _refuse(self, length: int, events: int) -> None:
        reason = (
            f"{STREAM}: expected at most {self._entries_max} unread entries, was {length} and {events}"
            " more; is the drain running?"
        )
        self._was_full = True
        self._alerts.tell(FULL_ALERT, reason)
        raise OutboxFullError(reason)


class RedisOutboxReader(OutboxReader):
    """One consumer of the group; not to be shared between threads."""

    def __init__(self, url: str, *, consumer: str) -> None:
        self._client = open_client(url, READ_WAIT_MAX_S + ANSWER_TIMEOUT_S)
        self._consumer = consumer
        self._may_hold = True  # what this name was given before, by an answer that was lost or a life before

    def read(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what this consumer holds, else what is new."""
        count = min(entries_max, READ_ENTRIES_MAX)
        return self._batch(asked(lambda: self._read(count, wait_s)))

    def read_new(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what is new; what this consumer holds is left for `read`."""
        self._may_hold = True
        count = min(entries_max, READ_ENTRIES_MAX)
        return self._batch(asked(lambda: self._given(">", count, _wait_ms(wait_s))))

    def claim(self, entries_max: int, idle_s: float) -> int:
        """Take over what was given and left for `idle_s`."""

        def take() -> int:
            self._may_hold = True
            answer = self._grouped(
                lambda: self._client.xautoclaim(
                    STREAM,
                    DRAIN_GROUP,
                    self._consumer,
                    min_idle_time=int(idle_s * 1000),
                    count=min(entries_max, READ_ENTRIES_MAX),
                    justid=True,
                )
            )
            return len(_claimed_ids(answer))

        return asked(take)

    def ack(self, entry_ids: Sequence[str]) -> int:
        """Acknowledge and delete, a bounded number at a time."""
        starts = range(0, len(entry_ids), ACKS_PER_SCRIPT_MAX)
        parts = (entry_ids[start : start + ACKS_PER_SCRIPT_MAX] for start in starts)
        told = (run_script(self._client, "ack_entries", [STREAM], (DRAIN_GROUP, *part)) for part in parts)
        return sum(int(count) for count in told)

    def backlog(self) -> OutboxBacklog:
        """Say how much waits."""

        def ask() -> tuple[int, int, list[Any]]:
            pending = self._grouped(lambda: self._client.xpending(STREAM, DRAIN_GROUP))
            first = self._client.xrange(STREAM, count=1)
            return int(self._client.xlen(STREAM)), int(pending["pending"]), first

        entries, given, first = asked(ask)
        oldest = datetime.fromtimestamp(int(first[0][0].split(b"-")[0]) / 1000, UTC) if first else None
        return OutboxBacklog(entries=entries, given=given, oldest_at=oldest)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _read(self, count: int, wait_s: float) -> Told:
        if self._may_hold:
            held = self._given("0", count, None)
            gone = [entry_id for entry_id, fields in held if not fields]
            if gone:  # deleted by another hand; the journal's sequence shows it
                self._client.xack(STREAM, DRAIN_GROUP, *gone)
            kept = [told for told in held if told[1]]
            if kept or gone:
                return kept
        self._may_hold = True  # until the answer is here: it may be lost on its way
        fresh = self._given(">", count, _wait_ms(wait_s))
        self._may_hold = bool(fresh)
        return fresh

    def _given(self, after: str, count: int, wait_ms: int | None) -> Told:
        answer = self._grouped(
            lambda: self._client.xreadgroup(
                DRAIN_GROUP, self._consumer, {STREAM: after}, count=count, block=wait_ms
            )
        )
        return list(answer[0][1]) if answer else []

    def _grouped(self, ask: Any) -> Any:
        """Ask, and make the group where it is missing: from the stream's beginning, nothing is skipped."""
        try:
            return ask()
        except redis.ResponseError as error:
            if not group_is_missing(error):
                raise
        try:
            self._client.xgroup_create(STREAM, DRAIN_GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not group_exists(error):
                raise
        return ask()

    def _batch(self, told: Told) -> OutboxBatch:
        entries: list[OutboxEntry] = []
        unreadable: list[UnreadableEntry] = []
        for entry_id, fields in told:
            try:
                entries.append(self._entry(entry_id.decode(), fields or {}))
            except (InvalidFieldError, KeyError, ValueError) as error:
                unreadable.append(self._unreadable(entry_id.decode(), fields or {}, error))
        return OutboxBatch(entries=tuple(entries), unreadable=tuple(unreadable))

    def _entry(self, entry_id: str, fields: Mapping[bytes, bytes]) -> OutboxEntry:
        return OutboxEntry(
            stream=STREAM,
            entry_id=entry_id,
            epoch=fields[b"epoch"].decode(),
            sequence=int(fields[b"sequence"]),
            event=broker_values.event_of(fields[b"event"]),
        )

    def _unreadable(self, entry_id: str, fields: Mapping[bytes, bytes], error: Exception) -> UnreadableEntry:
        told = {
            name.decode("utf-8", "replace"): text.decode("utf-8", "replace") for name, text in fields.items()
        }
        sequence = told.get("sequence", "")
        return UnreadableEntry(
            stream=STREAM,
            entry_id=entry_id,
            epoch=told.get("epoch", ""),
            sequence=int(sequence) if sequence.isascii() and sequence.isdigit() else None,
            text=told.get("event", str(told)),
            reason=f"{type(error).__name__}: {error}",
        )


def _wait_ms(wait_s: float) -> int:
    return max(1, int(min(wait_s, READ_WAIT_MAX_S) * 1000))


def _claimed_ids(answer: Any) -> Sequence[bytes]:
    """The ids of an answer to XAUTOCLAIM: newer servers put the cursor before them and the deleted after."""
    if answer and isinstance(answer[0], list):
        return answer[0]
    return answer[1] if len(answer) > 1 and isinstance(answer[1], list) else answer
