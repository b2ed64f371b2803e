"""The outbox in memory: the same order, bound, numbers and deliveries as in Redis, and it can be flushed."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from trading.errors import InvalidFieldError, OutboxFullError
from trading.model.broker import BrokerEvent, OutboxEntry
from trading.ports.outbox import (
    OUTBOX_ENTRIES_MAX,
    READ_ENTRIES_MAX,
    Appended,
    Outbox,
    OutboxBacklog,
    OutboxBatch,
    OutboxReader,
    UnreadableEntry,
)

STREAM = "memory outbox"


@dataclass(slots=True)
class _Given:
    """Who was given an entry, and when."""

    consumer: str
    at: float


@dataclass(slots=True)
class MemoryStream:
    """What one stream holds; `stepped` is the time that idleness is measured by."""

    stepped: Callable[[], float] = time.monotonic
    entries: dict[str, OutboxEntry | UnreadableEntry] = field(default_factory=dict)
    given: dict[str, _Given] = field(default_factory=dict)
    epochs: int = 0
    sequence: int = 0
    numbered: int = 0

    def flush(self) -> None:
        """Lose everything, as a flushed Redis does: the next append begins a new epoch."""
        self.entries.clear()
        self.given.clear()
        self.sequence = 0

    def next_entry_id(self) -> str:
        """An id that sorts after all before."""
        self.numbered += 1
        return f"{1_760_000_000_000 + self.numbered}-0"


class MemoryOutbox(Outbox):
    """The writer's side in one process."""

    def __init__(self, stream: MemoryStream, entries_max: int = OUTBOX_ENTRIES_MAX) -> None:
        self._stream = stream
        self._entries_max = entries_max
        self.alerts: list[str] = []

    def append(self, events: Sequence[BrokerEvent]) -> Appended:
        """Append events in order, all or none."""
        if not events:
            raise InvalidFieldError("events", "at least one event", events)
        stream = self._stream
        if len(stream.entries) + len(events) > self._entries_max:
            self.alerts.append("outbox_full")
            raise OutboxFullError(f"expected at most {self._entries_max} unread entries")
        stream.epochs += not stream.sequence
        epoch = f"{stream.epochs:013d}-memory"
        first = stream.sequence + 1
        ids = [self._appended(event, epoch) for event in events]
        return Appended(
            epoch=epoch, first_sequence=first, last_sequence=stream.sequence, entry_ids=tuple(ids)
        )

    def append_unreadable(self, text: str) -> str:
        """Put an entry there that is no event, as a broken writer would."""
        entry_id = self._stream.next_entry_id()
        self._stream.entries[entry_id] = UnreadableEntry(
            stream=STREAM, entry_id=entry_id, epoch="", sequence=None, text=text, reason="no event"
        )
        return entry_id

    def _appended(self, event: BrokerEvent, epoch: str) -> str:
        stream = self._stream
        stream.sequence += 1
        entry_id = stream.next_entry_id()
        stream.entries[entry_id] = OutboxEntry(
            stream=STREAM, entry_id=entry_id, epoch=epoch, sequence=stream.sequence, event=event
        )
        return entry_id


class MemoryOutboxReader(OutboxReader):
    """One consumer in one process."""

    def __init__(self, stream: MemoryStream, consumer: str) -> None:
        self._stream = stream
        self._consumer = consumer

    def read(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what this consumer holds, else what is new; never waits."""
        held = [name for name, given in self._stream.given.items() if given.consumer == self._consumer]
        return self._take(held[: min(entries_max, READ_ENTRIES_MAX)] or self._new(entries_max))

    def read_new(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what is new; never waits."""
        return self._take(self._new(entries_max))

    def claim(self, entries_max: int, idle_s: float) -> int:
        """Take over what was given and left for `idle_s`."""
        now = self._stream.stepped()
        left = [given for given in self._stream.given.values() if now - given.at >= idle_s]
        for given in left[:entries_max]:
            given.consumer, given.at = self._consumer, now
        return len(left[:entries_max])

    def ack(self, entry_ids: Sequence[str]) -> int:
        """Take entries away."""
        known = [name for name in dict.fromkeys(entry_ids) if name in self._stream.entries]
        for name in known:
            del self._stream.entries[name]
            self._stream.given.pop(name, None)
        return len(known)

    def backlog(self) -> OutboxBacklog:
        """Say how much waits."""
        oldest = next(iter(self._stream.entries), None)
        return OutboxBacklog(
            entries=len(self._stream.entries),
            given=len(self._stream.given),
            oldest_at=datetime.fromtimestamp(int(oldest.split("-")[0]) / 1000, UTC) if oldest else None,
        )

    def _new(self, entries_max: int) -> list[str]:
        stream = self._stream
        return [name for name in stream.entries if name not in stream.given][
            : min(entries_max, READ_ENTRIES_MAX)
        ]

    def _take(self, names: Sequence[str]) -> OutboxBatch:
        stream = self._stream
        for name in names:
            stream.given[name] = _Given(self._consumer, stream.stepped())
        told = [stream.entries[name] for name in sorted(names, key=list(stream.entries).index)]
        return OutboxBatch(
            entries=tuple(entry for entry in told if isinstance(entry, OutboxEntry)),
            unreadable=tuple(entry for entry in told if isinstance(entry, UnreadableEntry)),
        )
