"""What the session wants done: events to keep, messages to send, the link to open or to close."""

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.ibkr.session.pacing import Request
from trading.model.broker import BrokerEvent
from trading.ports.broker_commands import CommandResult, ReceivedCommand


class LinkAction(StrEnum):
    """What is to be done with the connection."""

    CONNECT = "connect"
    HANG_UP = "hang_up"


@dataclass(slots=True)
class Outputs:
    """Queues that the edge empties after each call."""

    events: deque[BrokerEvent] = field(default_factory=deque)
    requests: deque[Request] = field(default_factory=deque)
    link: deque[LinkAction] = field(default_factory=deque)
    results: deque[tuple[ReceivedCommand, CommandResult]] = field(default_factory=deque)
