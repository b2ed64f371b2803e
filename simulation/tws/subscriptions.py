"""What one client subscribed to: each knows what it told last and says only what changed since.

A subscription is pumped with the world's time; it samples no faster than a real gateway does. Keep out: which
requests are allowed (handlers) and how a message looks (replies).
"""

import heapq
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from simulation.tws.replies import Message

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

SUBSCRIPTIONS_MAX = 10_000  # of one client, of all kinds
LOOKS_MAX = 1_000  # at one moment, while a subscription has more to tell than one look takes
Moment = tuple[datetime, int]  # a quote (0) stands before a trade (1) of the same moment
Tick = tuple[Moment, Message]
AT_ONCE = datetime.min.replace(tzinfo=UTC)


class Subscription(ABC):
    """One running subscription."""

    def __init__(self) -> None:
        self.due_at: datetime | None = None
        self.is_over = False

    @abstractmethod
    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        """What there is to tell now; sets `due_at` to when to look again."""


class TickSubscription(Subscription):
    """One that tells single ticks: those of several subscriptions go out in the market's order."""

    @abstractmethod
    def ticks(self, state: "GatewayState", now: datetime) -> list[Tick]:
        """What there is to tell now, each with its moment; sets `due_at`."""

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        return [message for _, message in self.ticks(state, now)]


@dataclass(slots=True)
class Subscriptions:
    """A client's subscriptions by kind and request id; kinds without ids use 0.

    They wait in a queue by when they are to be looked at, so a look costs what is due and not what runs.
    Those due at one look are told in the order of their beginning.
    """

    running: dict[tuple[str, int], Subscription] = field(default_factory=dict)
    _places: dict[tuple[str, int], int] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _queue: list[tuple[datetime, int, tuple[str, int]]] = field(default_factory=list)
    _begun: int = 0
    _seen: object = None  # of the faults that change what all lines tell

    def add(self, kind: str, request_id: int, subscription: Subscription) -> None:
        """Run a subscription; one of the same kind and id is replaced."""
        key = (kind, request_id)
        self._counts[kind] += key not in self.running
        self.running[key] = subscription
        self._begun += 1
        self._places[key] = self._begun
        self._wait(key, subscription)

    def refuses(self, kind: str, request_id: int) -> str:
        """Why no subscription of this kind and id may be added; empty when it may."""
        if (kind, request_id) in self.running:
            return "Duplicate ticker id"
        if len(self.running) >= SUBSCRIPTIONS_MAX:
            return f"Max number of {SUBSCRIPTIONS_MAX} subscriptions has been reached"
        return ""

    def end(self, kind: str, request_id: int) -> bool:
        """Stop one; False when there was none."""
        return self._forget((kind, request_id))

    def count(self, *kinds: str) -> int:
        """How many run of some kinds."""
        return sum(self._counts[kind] for kind in kinds)

    def drop(self, *kinds: str) -> None:
        """Stop all of some kinds, as a gateway that lost its data does."""
        for key in [key for key in self.running if key[0] in kinds]:
            self._forget(key)

    def first_news(self, state: "GatewayState", now: datetime) -> list[Message]:
        """What a subscription that has just begun tells at once: it is the one that was added last."""
        if not self.running:
            return []
        key, subscription = next(reversed(self.running.items()))
        return self._told(key, subscription, state, now) if subscription.due_at is None else []

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        """Everything that is due, subscription by subscription."""
        if self._seen != state.faults.of_the_market():
            self._seen = state.faults.of_the_market()
            self._wake_all()
        messages: list[Message] = []
        for _ in range(LOOKS_MAX):
            due = self._take_due(now)
            if not due:
                break
            messages += self._look(due, state, now)
        return messages

    def _look(self, due: list[tuple[str, int]], state: "GatewayState", now: datetime) -> list[Message]:
        messages: list[Message] = []
        ticks: list[Tick] = []
        for key in due:
            subscription = self.running[key]
            if isinstance(subscription, TickSubscription):
                ticks += subscription.ticks(state, now)
                self._wait(key, subscription)
            else:
                messages += self._told(key, subscription, state, now)
        return messages + [message for _, message in sorted(ticks, key=itemgetter(0))]

    def _told(
        self, key: tuple[str, int], subscription: Subscription, state: "GatewayState", now: datetime
    ) -> list[Message]:
        messages = subscription.news(state, now)
        if subscription.is_over:
            self._forget(key)
        else:
            self._wait(key, subscription)
        return messages

    def _wait(self, key: tuple[str, int], subscription: Subscription) -> None:
        heapq.heappush(self._queue, (subscription.due_at or AT_ONCE, self._places[key], key))

    def _take_due(self, now: datetime) -> list[tuple[str, int]]:
        """What is due, in the order of beginning; entries of what ended or was moved since are left out."""
        due: dict[int, tuple[str, int]] = {}
        while self._queue and self._queue[0][0] <= now:
            at, place, key = heapq.heappop(self._queue)
            subscription = self.running.get(key)
            is_current = subscription is not None and self._places[key] == place
            if subscription is not None and is_current and (subscription.due_at or AT_ONCE) == at:
                due[place] = key
        return [due[place] for place in sorted(due)]

    def _wake_all(self) -> None:
        for key, subscription in self.running.items():
            subscription.due_at = None
            self._wait(key, subscription)

    def _forget(self, key: tuple[str, int]) -> bool:
        self._places.pop(key, None)
        is_running = self.running.pop(key, None) is not None
        self._counts[key[0]] -= is_running
        return is_running
