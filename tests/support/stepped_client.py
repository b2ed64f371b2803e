"""A raw client of a gateway whose clock it moves itself: step, barrier, what was heard until then.

No library between the bytes and the test. The barrier is the gateway's answer to a request for its time: it
comes behind everything that the step had to tell.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from gateway_client import RawClient

from simulation.gateway import Gateway, GatewayPlan

CURRENT_TIME = "49"
PRICES = {"1": "bid", "2": "ask", "4": "last"}
SIZES = {"0": "bid_size", "3": "ask_size", "5": "last_size", "8": "volume"}


@dataclass
class Told:
    """A line as the last messages left it, and every trade of it."""

    values: dict[str, float] = field(default_factory=dict)
    trades: list[tuple[float, int, int, int]] = field(default_factory=list)  # price, size, ms, total volume
    heard: int = 0


@dataclass
class Stepped:
    """One client and the control port."""

    gateway: Gateway
    raw: RawClient
    control: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    lines: dict[int, Told] = field(default_factory=dict)
    messages: list[list[str]] = field(default_factory=list)
    keeps_all: bool = False
    hears_errors: bool = False  # else a notice or error fails the test

    def subscribe(self, request_id: int, contract: Sequence[object], ticks: str) -> None:
        """Level 1 of a contract, named by its twelve fields."""
        self.lines[request_id] = Told()
        self.raw.send("1", "11", request_id, *contract, "0", ticks, "0", "0", "")

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """One question to the control port."""
        reader, writer = self.control
        writer.write(json.dumps(question).encode() + b"\n")
        return dict(json.loads(await reader.readline()))

    async def step(self, seconds: float, each: float | None = None) -> None:
        """Let the world go on and hear all of it."""
        piece = {} if each is None else {"each": each}
        stepping = asyncio.create_task(self.ask({"step": seconds, **piece}))
        self.raw.send(CURRENT_TIME, "1")  # answered before or behind the step; the second one is the barrier
        await self.hear_until(CURRENT_TIME)
        answer = await stepping
        assert answer["ok"], answer
        await self.barrier()

    async def barrier(self) -> None:
        """Hear everything that was told until now."""
        self.raw.send(CURRENT_TIME, "1")
        await self.hear_until(CURRENT_TIME)

    async def hear_until(self, message_id: str) -> None:
        """Take messages in up to and with the next of a kind."""
        while True:
            message = await self.raw.next()
            assert message, "the gateway hung up"
            if message[0] == message_id:
                return
            self._take(message)

    def _take(self, message: list[str]) -> None:
        if self.keeps_all:
            self.messages.append(message)
        kind = message[0]
        if kind == "1" and int(message[2]) in self.lines and message[3] in PRICES:
            line = self._line(message[2])
            line.values[PRICES[message[3]]] = float(message[4])
        elif kind == "2" and message[3] in SIZES and int(message[2]) in self.lines:
            self._line(message[2]).values[SIZES[message[3]]] = int(message[4])
        elif kind == "46":
            price, size, at_ms, total, _, _ = message[4].split(";")
            self._line(message[2]).trades.append((float(price), int(size), int(at_ms), int(total)))
        elif kind == "4" and not self.hears_errors and message[3] not in ("2104", "2106", "2158"):
            raise AssertionError(f"the gateway said {message}")

    def _line(self, request_id: str) -> Told:
        line = self.lines[int(request_id)]
        line.heard += 1
        return line


@asynccontextmanager
async def stepped(plan: GatewayPlan) -> AsyncIterator[Stepped]:
    """A gateway in this loop with one client."""
    gateway = Gateway(plan)
    await gateway.start()
    raw = await RawClient.started(gateway.port)
    control = await asyncio.open_connection("127.0.0.1", gateway.control_port)
    try:
        yield Stepped(gateway, raw, control)
    finally:
        raw.close()
        control[1].close()
        await gateway.stop()
    assert gateway.server.failure is None
