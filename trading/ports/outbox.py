"""The outbox: events on their way to the warehouse, appended once and kept until the warehouse has them.

What can lose money here: an event that is dropped because nobody read it (a full outbox refuses, it never
trims what is unread), an append that is repeated after a lost answer and stands twice (each append carries
a token), and a loss that nobody sees (entries of one epoch are numbered without holes; a lost stream starts
a new epoch). What is delivered twice must be harmless: delivery is at least once, in the stream's order.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.model.broker import BrokerEvent, OutboxEntry
from trading.ports.live_state import Lease

EVENTS_PER_APPEND_MAX = 1_000  # all of one append or none; more are appended in parts, in order
OUTBOX_ENTRIES_MAX = 100_000  # unread; about a day of a busy desk, 100 MB
READ_ENTRIES_MAX = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """Where events came to lie.

    A writer that is alone keeps the last one: another epoch, or a first sequence that does not follow, says
    that the stream lost something, and that the broker must be asked for everything again.
    """

    epoch: str
    first_sequence: int
    last_sequence: int
    entry_ids: tuple[str, ...]

    def follows(self, before: "Appended | None") -> bool:
        """Say whether nothing was lost between the append `before` and this one of the only writer."""
        if before is None:
            return self.first_sequence == 1
        return self.epoch == before.epoch and self.first_sequence == before.last_sequence + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEntry:
    """An entry that is no event: where it lies, what stands in it, and why it cannot be read."""

    stream: str
    entry_id: str
    epoch: str
    sequence: int | None
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxBatch:
    """What one read gave; both parts must be acknowledged."""

    entries: tuple[OutboxEntry, ...] = ()
    unreadable: tuple[UnreadableEntry, ...] = ()

    @property
    def entry_ids(self) -> tuple[str, ...]:
        """The ids of all, to acknowledge."""
        readable = tuple(entry.entry_id for entry in self.entries)
        return readable + tuple(entry.entry_id for entry in self.unreadable)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxBacklog:
    """How much waits: entries that the warehouse does not have, how many are given out, the oldest."""

    entries: int
    given: int
    oldest_at: datetime | None


class Outbox(ABC):
    """The writer's side of one stream."""

    @abstractmethod
    def append(self, events: Sequence[BrokerEvent]) -> Appended:
        """Append events in order, all or none up to EVENTS_PER_APPEND_MAX at a time.

        Raises OutboxFullError when that would exceed the bound, with an alert (the caller keeps the events,
        or asks the broker again later), LiveStateUnavailableError when nothing is certain: then the caller
        appends the events again, and what reads is right with both. InvalidFieldError for an event that no
        stream can hold; nothing of that append is stored.
        """

    def take_over(self, lease: Lease) -> None:  # noqa: B027 - a single writer by nature needs no lease
        """Write under this lease from now on: who has an older number of its component is refused.

        `append` raises FencedOutError then, in the process that was followed. Raises
        LiveStateUnavailableError.
        """


class OutboxReader(ABC):
    """The reader's side: one consumer of the group that drains the stream."""

    @abstractmethod
    def read(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what this consumer has been given and not acknowledged, else what is new.

        Waits up to `wait_s` for the first new entry. A consumer that starts again under its name gets what
        it died over. Raises LiveStateUnavailableError.
        """

    @abstractmethod
    def read_new(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Return what nobody was given yet, though this consumer may hold more; waits as `read` does.

        For who works on what he holds meanwhile. `read` gives all of it again, in order.
        """

    @abstractmethod
    def claim(self, entries_max: int, idle_s: float) -> int:
        """Take over what consumers were given and left for `idle_s`; `read` gives it. Returns how many."""

    @abstractmethod
    def ack(self, entry_ids: Sequence[str]) -> int:
        """Take away entries that the warehouse has; returns how many were still there."""

    @abstractmethod
    def backlog(self) -> OutboxBacklog:
        """Say how much waits."""
