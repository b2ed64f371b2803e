"""What the broker session is told, and what became of it: a queue that loses no command and does none twice.

What can lose money here: a command that is done again after its session died in the middle (it comes back
marked `again`, and an order is looked for at the broker before anything is sent), one that is done late (a
command says until when it is valid), one of a paused worker that wakes after its successor (a fencing number
lower than one seen of the same sender is refused), and one that is sent twice (its id is sent once).
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.model.broker import BrokerCommand, Outcome
from trading.model.times import aware_utc
from trading.ports.live_state import Lease

COMMANDS_WAITING_MAX = 10_000
RECEIVE_COMMANDS_MAX = 1_000
FENCED_REASON = "a higher fencing number of this sender was seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCommand:
    """A command with its place in the queue; `again` when a session had it and did not finish it."""

    entry_id: str
    command: BrokerCommand
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a command; `detail` carries what the broker answered (perm_id, order_id, what-if …)."""

    command_id: str
    outcome: Outcome
    at: datetime
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse naive times."""
        aware_utc("at", self.at)


class CommandQueue(ABC):
    """Every method raises LiveStateUnavailableError when there is no answer."""

    @abstractmethod
    def send(self, command: BrokerCommand) -> CommandResult | None:
        """Queue a command; a result at once where there is one already, or where it is refused as stale.

        Sending an id again changes nothing. Raises CommandQueueFullError above COMMANDS_WAITING_MAX.
        """

    @abstractmethod
    def receive(self, commands_max: int, wait_s: float) -> Sequence[ReceivedCommand]:
        """Return what an earlier session left unfinished (at the first call), else what is new, in order.

        Waits up to `wait_s` for the first new one. An entry that is no command is taken away with an alert.
        """

    def take_over(self, lease: Lease) -> None:  # noqa: B027 - a single session by nature needs no lease
        """Receive, claim and finish under this lease from now on; an older number of its component may not.

        These raise FencedOutError then, in the process that was followed; what it took its successor looks
        for. Raises LiveStateUnavailableError.
        """

    @abstractmethod
    def finish(self, received: ReceivedCommand, result: CommandResult) -> None:
        """Keep the result for a day and take the command from the queue, in one step; safe to repeat.

        The first result stands; only a doubt is replaced by what became known.
        """

    @abstractmethod
    def result(self, command_id: str) -> CommandResult | None:
        """Return what became of a command; None while it waits, or where nothing is known of it."""

    @abstractmethod
    def claim_order_ref(self, order_ref: str, command_id: str) -> str:
        """Note for 30 days which command sends an order_ref; returns the one that has it, the first.

        Asked before an order goes out: it may go only where the answer is its own command.
        """
