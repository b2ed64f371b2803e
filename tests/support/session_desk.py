"""A broker session against a gateway in one event loop, with its ports in memory: what it told is a list."""

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from gateway_client import until

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.ibkr.session.client_library import INSTALLED
from adapters.ibkr.session.runner import Runner, SessionPorts
from adapters.memory.alerts import MemoryAlerts
from adapters.memory.broker_commands import MemoryCommandQueue, MemoryCommands
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.outbox import MemoryOutbox, MemoryStream
from trading.model.broker import BrokerCommand, BrokerEvent, BrokerEventKind, LinkState, Outcome, Verb
from trading.ports.broker_commands import CommandResult
from trading.settings import BrokerSettings

WAIT_S = 60.0  # for what must come: a bound for a broken test, never a measure of a machine
VALID_S = 120.0  # longer than anything is waited for: a command is too late where a test makes it so


def broker_settings(port: int = 4002, **changes: Any) -> BrokerSettings:
    """The shipped settings, on this port, with a simulated clock."""
    shipped = load_settings({}, with_stack=False).broker
    given = {"host": "127.0.0.1", "port": port, "simulated_clock": True, "library": INSTALLED, **changes}
    return dataclasses.replace(shipped, **given)


@dataclasses.dataclass(slots=True)
class LeapingClock(SystemClock):
    """This machine's clock, which a test may set ahead: what runs out does so at once, and not before."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The moment, as far ahead as it was set."""
        return SystemClock.now(self) + self.ahead

    def leap(self, seconds: float) -> None:
        """Set it ahead."""
        self.ahead += timedelta(seconds=seconds)


@dataclasses.dataclass(slots=True)
class SessionDesk:
    """A running session and what it has told."""

    runner: Runner
    stream: MemoryStream
    queue: MemoryCommandQueue
    stop: asyncio.Event
    commands: MemoryCommands
    clock: LeapingClock
    commands_sent: int = 0

    @property
    def events(self) -> list[BrokerEvent]:
        """Everything in the outbox, in order."""
        return [entry.event for entry in self.stream.entries.values()]

    def of(self, kind: BrokerEventKind, **wanted: Any) -> list[Mapping[str, Any]]:
        """The payloads of one kind of event that have these values."""
        told = [event.payload for event in self.events if event.kind is kind]
        return [
            payload for payload in told if all(payload.get(name) == value for name, value in wanted.items())
        ]

    def answers(self, question: str, completeness: str = "complete") -> list[Mapping[str, Any]]:
        """The answers of one question that are of this completeness."""
        return self.of(BrokerEventKind.ANSWER, question=question, completeness=completeness)

    def states(self) -> list[str]:
        """The states of the link, one after the other."""
        told = [str(payload["state"]) for payload in self.of(BrokerEventKind.LINK)]
        return [state for place, state in enumerate(told) if place == 0 or told[place - 1] != state]

    async def ready(self, times: int = 1) -> None:
        """Wait until the link was ready so often."""
        await until(lambda: self.states().count(LinkState.READY) >= times, "a ready link", WAIT_S)

    async def told(self, kind: BrokerEventKind, count: int = 1, **wanted: Any) -> list[Mapping[str, Any]]:
        """Wait until so many events of a kind were told."""
        await until(lambda: len(self.of(kind, **wanted)) >= count, f"{count} {kind} {wanted}", WAIT_S)
        return self.of(kind, **wanted)

    async def do(self, verb: Verb, payload: Mapping[str, Any], **changes: Any) -> CommandResult:
        """Send a command and wait for what became of it."""
        command_id = self.send(verb, payload, **changes)
        await until(lambda: self.queue.result(command_id) is not None, f"a result of {verb}", WAIT_S)
        result = self.queue.result(command_id)
        assert result is not None
        return result

    def send(self, verb: Verb, payload: Mapping[str, Any], **changes: Any) -> str:
        """Send a command; returns its id."""
        self.commands_sent += 1
        now = self.clock.now()
        given: dict[str, Any] = {
            "command_id": f"c{self.commands_sent}",
            "sender": "test",
            "fencing": 1,
            "issued_at": now,
            "valid_until": now + timedelta(seconds=VALID_S),
            **changes,
        }
        self.queue.send(BrokerCommand(verb=verb, payload=payload, **given))
        return str(given["command_id"])

    def deliver_again(
        self, command_id: str, verb: Verb, payload: Mapping[str, Any], *, again: bool = False, **changes: Any
    ) -> None:
        """Put a command into the queue past the checks of sending, as a redelivery does."""
        now = self.clock.now()
        given: dict[str, Any] = {"sender": "test", "fencing": 100, **changes}
        command = BrokerCommand(
            command_id=command_id,
            verb=verb,
            payload=payload,
            issued_at=now,
            valid_until=now + timedelta(seconds=VALID_S),
            **given,
        )
        self.commands.numbered += 1
        entry_id = f"{self.commands.numbered}-0"
        self.commands.waiting[entry_id] = command
        if again:
            self.commands.given.add(entry_id)

    def waiting(self) -> int:
        """How many commands are not finished."""
        return len(self.commands.waiting)


@asynccontextmanager
async def session_desk(settings: BrokerSettings, **ports: Any) -> AsyncIterator[SessionDesk]:
    """A session that runs while the block does."""
    stream = ports.pop("stream", None) or MemoryStream()
    commands = ports.pop("state", None) or MemoryCommands()
    clock = LeapingClock()
    given: dict[str, Any] = {
        "outbox": MemoryOutbox(stream),
        "commands": MemoryCommandQueue(commands),
        "live_state": MemoryLiveState(),
        "alerts": ports.pop("alerts", None) or MemoryAlerts(),
        "clock": clock,
        **ports,
    }
    runner = Runner(settings, SessionPorts(**given), random.Random(7))
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    try:
        queue = MemoryCommandQueue(commands)
        yield SessionDesk(
            runner=runner, stream=stream, queue=queue, stop=stop, commands=commands, clock=clock
        )
    finally:
        stop.set()
        await running


def place(order_ref: str, conid: int, account: str, **changes: Any) -> dict[str, Any]:
    """The payload of an order for one option."""
    return {
        "account": account,
        "conid": conid,
        "sec_type": "OPT",
        "instrument_id": "OPT:SPY",
        "side": "BUY",
        "quantity": "2",
        "order_type": "MKT",
        "order_ref": order_ref,
        **changes,
    }


Check = Callable[[], bool]
__all__ = ["Outcome", "SessionDesk", "broker_settings", "place", "session_desk"]
