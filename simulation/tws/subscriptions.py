"""What one client subscribed to: each knows what it told last and says only what changed since.

A subscription is pumped with the world's time; it samples no faster than a real gateway does. Keep out: which
requests are allowed (handlers) and how a message looks (replies).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from simulation.tws.replies import Message

if TYPE_CHECKING:
    from simulation.tws.state import GatewayState

SUBSCRIPTIONS_MAX = 1_000  # of one client, of all kinds


class Subscription(ABC):
    """One running subscription."""

    def __init__(self) -> None:
        self.due_at: datetime | None = None
        self.is_over = False

    @abstractmethod
    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        """What there is to tell now; sets `due_at` to when to look again."""


@dataclass(slots=True)
class Subscriptions:
    """A client's subscriptions by kind and request id; kinds without ids use 0."""

    running: dict[tuple[str, int], Subscription] = field(default_factory=dict)

    def add(self, kind: str, request_id: int, subscription: Subscription) -> None:
        """Run a subscription; one of the same kind and id is replaced."""
        self.running[kind, request_id] = subscription

    def refuses(self, kind: str, request_id: int) -> str:
        """Why no subscription of this kind and id may be added; empty when it may."""
        if (kind, request_id) in self.running:
            return "Duplicate ticker id"
        if len(self.running) >= SUBSCRIPTIONS_MAX:
            return f"Max number of {SUBSCRIPTIONS_MAX} subscriptions has been reached"
        return ""

    def end(self, kind: str, request_id: int) -> bool:
        """Stop one; False when there was none."""
        return self.running.pop((kind, request_id), None) is not None

    def count(self, *kinds: str) -> int:
        """How many run of some kinds."""
        return sum(1 for kind, _ in self.running if kind in kinds)

    def drop(self, *kinds: str) -> None:
        """Stop all of some kinds, as a gateway that lost its data does."""
        self.running = {key: each for key, each in self.running.items() if key[0] not in kinds}

    def news(self, state: "GatewayState", now: datetime) -> list[Message]:
        """Everything that is due, subscription by subscription."""
        messages: list[Message] = []
        for key, subscription in list(self.running.items()):
            if subscription.due_at is None or subscription.due_at <= now:
                messages += subscription.news(state, now)
            if subscription.is_over:
                self.running.pop(key, None)
        return messages
