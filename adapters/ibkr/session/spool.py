"""What was heard and is not in the outbox yet, in order, with what may only happen once it is there.

What can lose money here: an order that is sent before the record of it is kept, so that after a crash nobody
knows of it; a command taken from its queue before what became of it is kept. Both stand in the same line as
the events, behind those that must be kept first.

The line is bounded: when it is nearly full the session hangs up, since the broker tells everything again on
connect while what stands here would die with this process.
"""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from trading.errors import InvalidFieldError
from trading.model.broker import BrokerEvent
from trading.ports.outbox import EVENTS_PER_APPEND_MAX, Appended, Outbox

Step = Callable[[], Awaitable[None]]  # what may happen once everything before it is kept
NEARLY_FULL = 0.8  # of the line: what is on its way when we hang up still fits
ROOM_AGAIN = 0.2

_log = logging.getLogger("desk.broker.spool")


class Spool:
    """The line to the outbox; one thread puts, one writes."""

    def __init__(self, outbox: Outbox, events_max: int) -> None:
        self._outbox = outbox
        self._events_max = events_max
        self._line: deque[BrokerEvent | Step] = deque()
        self._last: Appended | None = None
        self.lost_entries = False  # the outbox began anew since this was last looked at

    def __len__(self) -> int:
        return len(self._line)

    @property
    def is_nearly_full(self) -> bool:
        """Whether it is time to hang up."""
        return len(self._line) >= self._events_max * NEARLY_FULL

    @property
    def has_room_again(self) -> bool:
        """Whether it is time to connect again."""
        return len(self._line) <= self._events_max * ROOM_AGAIN

    def put(self, item: BrokerEvent | Step) -> None:
        """Put at the end of the line."""
        self._line.append(item)

    def next_batch(self) -> list[BrokerEvent]:
        """The events at the front, up to the first step."""
        batch: list[BrokerEvent] = []
        for item in self._line:
            if not isinstance(item, BrokerEvent) or len(batch) >= EVENTS_PER_APPEND_MAX:
                break
            batch.append(item)
        return batch

    def next_step(self) -> Step | None:
        """The step at the front; None where an event stands there. It stays until it is `written`."""
        front = self._line[0] if self._line else None
        return None if isinstance(front, BrokerEvent) else front

    def write(self, batch: Sequence[BrokerEvent]) -> list[BrokerEvent]:
        """Append a batch; returns the events of it that no outbox can hold, which are left out.

        Raises TransientError; then nothing is certain and the batch stays at the front.
        """
        try:
            self._append(batch)
        except InvalidFieldError:
            return self._write_singly(batch)
        return []

    def written(self, count: int) -> None:
        """Take what was written from the front."""
        for _ in range(count):
            self._line.popleft()

    def _write_singly(self, batch: Sequence[BrokerEvent]) -> list[BrokerEvent]:
        left_out = []
        for event in batch:
            try:
                self._append([event])
            except InvalidFieldError as error:
                _log.error("event left out: %s", error, extra={"kind": event.kind.value})
                left_out.append(event)
        return left_out

    def _append(self, events: Sequence[BrokerEvent]) -> None:
        appended = self._outbox.append(events)
        if self._last is not None and not appended.follows(self._last):
            self.lost_entries = True
        self._last = appended
