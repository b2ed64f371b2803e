"""The session's commands in memory: sent once, given once to each life of the session, finished once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from trading.errors import CommandQueueFullError
from trading.model.broker import BrokerCommand, Outcome
from trading.ports.broker_commands import (
    COMMANDS_WAITING_MAX,
    FENCED_REASON,
    CommandQueue,
    CommandResult,
    ReceivedCommand,
)


@dataclass(slots=True)
class MemoryCommands:
    """What the queue holds, whatever session reads it."""

    waiting: dict[str, BrokerCommand] = field(default_factory=dict)  # by entry id
    given: set[str] = field(default_factory=set)
    fencing: dict[str, int] = field(default_factory=dict)
    results: dict[str, CommandResult | None] = field(default_factory=dict)
    order_refs: dict[str, str] = field(default_factory=dict)  # who sent them
    numbered: int = 0


class MemoryCommandQueue(CommandQueue):
    """Both sides in one process; another instance on the same commands is a session that starts again."""

    def __init__(self, commands: MemoryCommands, waiting_max: int = COMMANDS_WAITING_MAX) -> None:
        self._commands = commands
        self._waiting_max = waiting_max
        self._own: set[str] = set()

    def send(self, command: BrokerCommand) -> CommandResult | None:
        """Queue a command once, unless a higher fencing number of its sender was seen."""
        state = self._commands
        if command.command_id in state.results:
            return state.results[command.command_id]
        if state.fencing.get(command.sender, command.fencing) > command.fencing:
            stale = CommandResult(
                command_id=command.command_id,
                outcome=Outcome.REFUSED,
                at=command.issued_at,
                reason=FENCED_REASON,
            )
            state.results[command.command_id] = stale
            return stale
        if len(state.waiting) >= self._waiting_max:
            raise CommandQueueFullError(f"expected at most {self._waiting_max} waiting commands")
        state.fencing[command.sender] = command.fencing
        state.results[command.command_id] = None
        state.numbered += 1
        state.waiting[f"{state.numbered}-0"] = command
        return None

    def receive(self, commands_max: int, wait_s: float) -> Sequence[ReceivedCommand]:
        """Return what was left unfinished, else what is new; never waits."""
        state = self._commands
        left = [name for name in state.waiting if name in state.given and name not in self._own]
        names = (left or [name for name in state.waiting if name not in state.given])[:commands_max]
        state.given.update(names)
        self._own.update(names)
        return [
            ReceivedCommand(entry_id=name, command=state.waiting[name], again=bool(left)) for name in names
        ]

    def finish(self, received: ReceivedCommand, result: CommandResult) -> None:
        """Keep the result and take the command away; the first result that is no doubt stands."""
        state = self._commands
        known = state.results.get(result.command_id)
        if known is None or known.outcome is Outcome.IN_DOUBT:
            state.results[result.command_id] = result
        state.waiting.pop(received.entry_id, None)
        state.given.discard(received.entry_id)
        self._own.discard(received.entry_id)

    def result(self, command_id: str) -> CommandResult | None:
        """Return what became of a command, where that is known."""
        return self._commands.results.get(command_id)

    def claim_order_ref(self, order_ref: str, command_id: str) -> str:
        """Return the command that has the order_ref; this one where it is the first."""
        return self._commands.order_refs.setdefault(order_ref, command_id)
