"""What became of commands: told, handed to the queue, remembered so that a repeat has the same answer."""

from typing import Any

from adapters.ibkr.session.context import Context
from adapters.ibkr.session.events import command_event
from trading.model.broker import Outcome
from trading.ports.broker_commands import CommandResult, ReceivedCommand

RESULTS_KEPT_MAX = 10_000


class Results:
    """The results of this process; the queue keeps them for longer."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._results: dict[str, CommandResult] = {}

    def repeat(self, received: ReceivedCommand) -> bool:
        """Answer a command that has its result already; False for one that has none."""
        result = self._results.get(received.command.command_id)
        if result is not None:
            self._context.outputs.results.append((received, result))
        return result is not None

    def finish(self, received: ReceivedCommand, outcome: Outcome, reason: str, **detail: Any) -> None:
        """End a command."""
        command, now = received.command, self._context.now()
        result = CommandResult(
            command_id=command.command_id, outcome=outcome, at=now, reason=reason, detail=detail
        )
        self._context.tell(command_event(command, outcome, reason, now, **detail))
        if len(self._results) >= RESULTS_KEPT_MAX:
            del self._results[next(iter(self._results))]
        self._results[command.command_id] = result
        self._context.outputs.results.append((received, result))

    def in_doubt(self, received: ReceivedCommand, reason: str, **detail: Any) -> None:
        """Tell that nobody knows yet; the command stays in its queue, so that a crash does not lose it."""
        event = command_event(received.command, Outcome.IN_DOUBT, reason, self._context.now(), **detail)
        self._context.tell(event)
