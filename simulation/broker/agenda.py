"""What is due later, in time order; things due at one moment happen in the order of their noting."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from simulation.broker.model import BrokerSays

Action = Callable[[datetime], list[BrokerSays]]
ENTRIES_MOST = 1_000_000


@dataclass(slots=True)
class Agenda:
    """A heap of moments and what to do then; each action gets its own moment as the time."""

    entries: list[tuple[datetime, int, Action]] = field(default_factory=list)
    numbers: "count[int]" = field(default_factory=count)

    def note(self, at: datetime, action: Action) -> None:
        """Do it then."""
        if len(self.entries) >= ENTRIES_MOST:
            raise ValueError(f"agenda: expected at most {ENTRIES_MOST} entries")
        heapq.heappush(self.entries, (at, next(self.numbers), action))

    def next_at(self) -> datetime | None:
        """When the next thing is due; None when nothing is."""
        return self.entries[0][0] if self.entries else None

    def take(self, until: datetime) -> tuple[datetime, Action] | None:
        """The next thing that is due by `until`, taken out."""
        if not self.entries or self.entries[0][0] > until:
            return None
        at, _, action = heapq.heappop(self.entries)
        return at, action
