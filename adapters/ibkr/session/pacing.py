"""The queue of what is to be sent, under the broker's limit of messages per second.

Requests wait instead of breaking the limit, cancels and orders before questions, each kind in its order. The
queue is bounded: what does not fit is refused to who asked, since an order that waited is an order sent late.
Too many messages make the gateway refuse (100) and at last hang up; then the queue rests.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

WINDOW = timedelta(seconds=1)
ROUTINE_SHARE = 0.7  # of the limit: what is asked again and again leaves room for what is not
REST_AFTER_REFUSAL = timedelta(seconds=2)  # the gateway counts refused messages, too


class Send(StrEnum):
    """What can be sent."""

    POSITIONS = "positions"
    CANCEL_POSITIONS = "cancel_positions"
    OPEN_ORDERS = "open_orders"
    COMPLETED_ORDERS = "completed_orders"
    EXECUTIONS = "executions"
    ACCOUNT_VALUES = "account_values"
    CANCEL_ACCOUNT_VALUES = "cancel_account_values"
    TIME = "time"
    NEXT_NUMBER = "next_number"
    CONTRACT = "contract"
    PLACE = "place"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"


class Urgency(IntEnum):
    """Which goes first; what reduces risk before what adds to it, and both before questions."""

    CANCEL = 0
    ORDER = 1
    QUESTION = 2
    ROUTINE = 3  # asked again and again: it fills what is left


URGENCY: Mapping[StrEnum, Urgency] = {
    Send.CANCEL: Urgency.CANCEL,
    Send.CANCEL_ALL: Urgency.CANCEL,
    Send.PLACE: Urgency.ORDER,
    Send.CONTRACT: Urgency.ORDER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One message to send; `number` is the request's or the order's, `content` what else it needs.

    `send` is of `Send`, or of the market session's own; `rank` stands where the table has no line.
    """

    send: StrEnum
    number: int = 0
    account: str = ""
    content: Any = None
    rank: Urgency = Urgency.QUESTION

    @property
    def urgency(self) -> Urgency:
        """Which queue it waits in."""
        return URGENCY.get(self.send, self.rank)


class Pacing:
    """The queue of one connection."""

    def __init__(self, per_second_max: int, waiting_max: int) -> None:
        self._per_second_max = per_second_max
        self._waiting_max = waiting_max
        self._queues: dict[Urgency, deque[Request]] = {urgency: deque() for urgency in Urgency}
        self._sent: deque[datetime] = deque()
        self._rest_until: datetime | None = None

    def put(self, request: Request) -> bool:
        """Queue a request; False when the queue is full."""
        if self.waiting() >= self._waiting_max and request.urgency is not Urgency.CANCEL:
            return False
        self._queues[request.urgency].append(request)
        return True

    def take(self, now: datetime) -> list[Request]:
        """Take what may be sent now."""
        if self._rest_until is not None and now < self._rest_until:
            return []
        while self._sent and self._sent[0] <= now - WINDOW:
            self._sent.popleft()
        taken: list[Request] = []
        for urgency in Urgency:
            queue, most = self._queues[urgency], self._most(urgency)
            while queue and len(self._sent) < most:
                taken.append(queue.popleft())
                self._sent.append(now)
        return taken

    def next_at(self, now: datetime) -> datetime | None:
        """When something may be sent again; None when nothing waits."""
        if not self.waiting():
            return None
        most = max(self._most(urgency) for urgency, queue in self._queues.items() if queue)
        free_at = now if len(self._sent) < most else self._sent[0] + WINDOW
        return free_at if self._rest_until is None else max(free_at, self._rest_until)

    def _most(self, urgency: Urgency) -> int:
        if urgency is not Urgency.ROUTINE:
            return self._per_second_max
        return max(1, int(self._per_second_max * ROUTINE_SHARE))

    def rest(self, now: datetime) -> None:
        """Send nothing for a while: the gateway said that it was too much."""
        self._rest_until = now + REST_AFTER_REFUSAL

    def waiting(self) -> int:
        """How many requests wait."""
        return sum(len(queue) for queue in self._queues.values())

    def drop_all(self) -> list[Request]:
        """Empty the queue, as its connection is gone; returns what will not be sent."""
        dropped = [request for queue in self._queues.values() for request in queue]
        for queue in self._queues.values():
            queue.clear()
        self._sent.clear()
        self._rest_until = None
        return dropped
