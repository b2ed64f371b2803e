"""The session driven step by step with a gateway whose clock is moved by hand: the same run, the same bytes.

One step: the gateway's control port moves the clock, and the gateway sends what is new; the time is asked,
and since a connection keeps its order, all of the step has been heard when the answer is there; then the
session does what it wants, and what was collected is written. The session's own clock is the world's, so
nothing depends on how fast this machine is. Bound to one gateway and one session; not for a real broker.
"""

import asyncio
import json
import random
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.requests import MarketSend
from adapters.ibkr.market.runner import market_link, market_link_settings
from adapters.ibkr.market.session import MarketSession
from adapters.ibkr.session.outputs import LinkAction
from adapters.ibkr.session.pacing import Request, Send
from trading.errors import TransientError
from trading.market_settings import IngestSettings, MarketSettings
from trading.model.broker import BrokerEventKind, LinkState
from trading.ports.clock import Clock
from trading.ports.market_state import MarketSink, SymbolUpdate
from trading.settings import BrokerSettings

LOOPBACK = "127.0.0.1"
SETTLES_MAX = 2_000  # rounds of asking and answering within one step
BARRIER_S = 30.0  # for one answer of the gateway
NO_JITTER = 7

Step = Callable[[float], None]


class LockStepError(TransientError):
    """The gateway did not answer, or not as it should."""


class StepClock(Clock):
    """The world's time, as far as it has been moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return where it stands."""
        return self.at


class LockStep:
    """One session in lock-step; `step` moves the gateway's clock by seconds."""

    def __init__(
        self,
        broker: BrokerSettings,
        market: MarketSettings,
        ingest: IngestSettings,
        sink: MarketSink,
        step: Step,
        *,
        begins_at: datetime,
        capture: CaptureWriter | None = None,
    ) -> None:
        settings = market_link_settings(broker, ingest)
        self.clock = StepClock(begins_at.astimezone(UTC))
        self._step, self._sink = step, sink
        chance = random.Random(NO_JITTER)  # noqa: S311 (jitter, no secret)
        self.session = MarketSession(settings, market, ingest, self.clock, chance, capture)
        self._heard = asyncio.Event()
        self._asked = self._answered = 0
        self.session.on_time = self._time_came
        self._link = market_link(settings, self.session, self._heard.set, is_throttled=False)
        self.alerts: list[tuple[str, str]] = []
        self.updates = 0

    async def connect(self) -> None:
        """Connect, and open every line that can be opened while the clock stands."""
        self.session.start()
        await self._until_ready()

    async def be_deaf(self, seconds: float) -> None:
        """Lose the link, let the world go on so far, and connect again."""
        self._link.close()
        self.session.link_closed("the link was cut")
        self._turn()
        await asyncio.to_thread(self._step, seconds)
        self.clock.at += timedelta(seconds=seconds)
        await self._until_ready()

    async def _until_ready(self) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + BARRIER_S
        while self.session.state is not LinkState.READY:
            if loop.time() > end:
                raise LockStepError(f"no connection within {BARRIER_S:g} s: {self.alerts}")
            self._turn()
            await self._wait(0.05)
        await self._settle()
        self._flush()

    async def advance(self, seconds: float, *, of: float = 1.0) -> None:
        """Let the world go on so far, in steps of `of` seconds."""
        whole = round(seconds / of)
        for _ in range(whole):
            await asyncio.to_thread(self._step, of)
            self.clock.at += timedelta(seconds=of)
            await self._settle()
            self._flush()

    def close(self) -> None:
        """Hang up."""
        self.session.stop()
        self._turn()

    async def _settle(self) -> None:
        """Until the session wants nothing more: everything asked is answered, and heard."""
        for _ in range(SETTLES_MAX):
            sent = self._turn()
            await self._barrier()
            if not sent and not self.session.outputs.requests:
                return
        raise LockStepError(f"the session wants something more after {SETTLES_MAX} rounds")

    async def _barrier(self) -> None:
        """Ask the time; with its answer all that was sent before has been heard."""
        self._ask_time()
        loop = asyncio.get_running_loop()
        end = loop.time() + BARRIER_S
        while self._answered < self._asked:
            if loop.time() > end or self.session.state in (LinkState.LOST, LinkState.STOPPED):
                raise LockStepError(f"no answer within {BARRIER_S:g} s; the link is {self.session.state}")
            await self._wait(1.0)

    async def _wait(self, limit_s: float) -> None:
        self._heard.clear()
        try:
            await asyncio.wait_for(self._heard.wait(), limit_s)
        except TimeoutError:
            return

    def _ask_time(self) -> None:
        self._asked += 1
        self._link.send(Request(send=Send.TIME))

    def _time_came(self) -> None:
        self._answered += 1

    def _turn(self) -> int:
        """Let the session do what it wants now; returns how much it sent beside questions for the time."""
        self.session.tick()
        outputs = self.session.outputs
        while outputs.events:
            event = outputs.events.popleft()
            if event.kind is BrokerEventKind.ALERT and not event.payload.get("is_over"):
                self.alerts.append((str(event.payload["code"]), str(event.payload["text"])))
        while outputs.link:
            (self._link.open if outputs.link.popleft() is LinkAction.CONNECT else self._link.close)()
        sent = 0
        while outputs.requests:
            request = outputs.requests.popleft()
            if request.send is Send.TIME:
                self._ask_time()
            else:
                self._link.send(request)
                sent += isinstance(request.send, MarketSend)
        return sent

    def _flush(self) -> None:
        updates: list[SymbolUpdate] = list(self.session.flush(self.clock.now()))
        if updates:
            self.updates += len(updates)
            self._sink.publish(updates)


class GatewayControl:
    """The control port of a simulated gateway whose clock stands until it is moved."""

    def __init__(self, port: int) -> None:
        self._port = port

    def now(self) -> datetime:
        """Where its clock stands."""
        return datetime.fromisoformat(str(self._ask({"show": "status"})["now"]))

    def step(self, seconds: float) -> None:
        """Move it, and wait until it has."""
        self._ask({"step": seconds})

    def _ask(self, question: Mapping[str, object]) -> Mapping[str, Any]:
        try:
            with socket.create_connection((LOOPBACK, self._port), BARRIER_S) as control:
                control.sendall(json.dumps(question).encode() + b"\n")
                answer = json.loads(control.makefile("rb").readline() or b"{}")
        except (OSError, ValueError) as error:
            raise LockStepError(f"control port {self._port}: {error}") from error
        if not answer.get("ok"):
            raise LockStepError(f"control port {self._port}: {answer.get('error', 'no answer')}")
        return dict(answer)
