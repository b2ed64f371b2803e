"""The event loop around the session: the link, the line to the outbox, the queue of commands, the heartbeat.

One thread runs the loop; what blocks (Redis) runs in threads beside it and touches nothing of the session.
When Redis is down, events wait in the spool, and no command is taken.
"""

import asyncio
import functools
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.ibkr.session.link import broker_link
from adapters.ibkr.session.outputs import LinkAction
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.session import BrokerSession
from adapters.ibkr.session.spool import Spool
from trading.errors import LiveStateUnavailableError, TransientError
from trading.model.broker import BrokerEvent, BrokerEventKind, LinkState
from trading.ports.alerts import Alerts
from trading.ports.broker_commands import CommandQueue, CommandResult, ReceivedCommand
from trading.ports.clock import Clock
from trading.ports.live_state import Lease, LiveState
from trading.ports.outbox import Outbox
from trading.services.hold_lease import HeldLease
from trading.settings import BrokerSettings

COMPONENT = "broker"
COMMANDS_PER_CALL_MAX = 100
COMMANDS_WAIT_S = 1.0
COMMANDS_PAUSE_S = 0.01  # where the queue does not wait by itself
PAUSE_AFTER_FAILURE_S = 0.5  # of Redis
TICK_MAX_S = 1.0  # time passes at least so often: the clock may be set, and a stop may come
BEATS_KEPT = 5  # the heartbeat outlives so many of its intervals
LAST_WRITES_S = 5.0  # after a stop, for what is still in the spool

_log = logging.getLogger("desk.broker.runner")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPorts:
    """What the process talks to besides the gateway."""

    outbox: Outbox
    commands: CommandQueue
    live_state: LiveState
    alerts: Alerts
    clock: Clock
    lease: HeldLease | None = None  # None where nobody else could hold a session

    def take_over(self, lease: Lease) -> None:
        """Write, take commands and alert under this lease; who has an older one does none of it any more."""
        self.outbox.take_over(lease)
        self.commands.take_over(lease)
        self.alerts.fence(lease.fencing)


class Runner:
    """One broker session in one event loop."""

    def __init__(self, settings: BrokerSettings, ports: SessionPorts, chance: random.Random) -> None:
        self._settings = settings
        self._ports = ports
        self._session = BrokerSession(settings, ports.clock, chance)
        self._spool = Spool(ports.outbox, settings.spool_events_max)
        self._heard = asyncio.Event()
        self._told = asyncio.Event()
        self._link = broker_link(settings, self._session, self._heard.set)
        self._works_under: Lease | None = None
        self._stopping = False
        self._is_full = False
        self._redis_fails = False

    @property
    def state(self) -> LinkState:
        """Where the connection stands."""
        return self._session.state

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; what was heard by then is written, for a few seconds."""
        writing = asyncio.create_task(self._forever(self._write), name="write")
        steps = (self._take_commands, self._beat, self._hold)
        others = [asyncio.create_task(self._forever(step)) for step in steps]
        wake_at_stop = asyncio.create_task(stop.wait())
        wake_at_stop.add_done_callback(lambda _: self._heard.set())
        self._session.start()
        try:
            while not stop.is_set():
                self._turn()
                await self._pause()
                await asyncio.gather(
                    *(task for task in (writing, *others) if task.done())
                )  # its error is ours
        finally:
            for task in (wake_at_stop, *others):
                task.cancel()
            self._session.stop()
            self._turn()
            self._stopping = True
            self._told.set()
            await asyncio.wait([writing], timeout=LAST_WRITES_S)
            writing.cancel()
            await asyncio.gather(writing, *others, return_exceptions=True)

    def _turn(self) -> None:
        """Let time pass in the session and do what it wants."""
        self._heard.clear()
        self._mind_spool()
        self._session.tick()
        outputs = self._session.outputs
        while outputs.events:
            event = outputs.events.popleft()
            self._spool.put(event)
            _say(event)
            if event.kind is BrokerEventKind.ALERT:
                self._spool.put(functools.partial(self._tell_alert, event))
        while outputs.link:
            action = outputs.link.popleft()
            (self._link.open if action is LinkAction.CONNECT else self._link.close)()
        while outputs.requests:
            self._send(outputs.requests.popleft())
        while outputs.results:
            self._spool.put(functools.partial(self._finish, *outputs.results.popleft()))
        if len(self._spool):
            self._told.set()

    def _send(self, request: Request) -> None:
        """Send now, or an order once the record of it is kept."""
        if request.send is Send.PLACE:
            self._spool.put(functools.partial(self._send_order, request))
        else:
            self._link.send(request)
            self._session.sent(request)

    async def _send_order(self, request: Request) -> None:
        """Send an order whose record is kept; a new one only if no other command ever sent its order_ref."""
        named = self._session.claim_for(request)
        if named is not None:
            holder = await asyncio.to_thread(self._ports.commands.claim_order_ref, *named)
            if holder != named[1]:
                self._session.is_taken(request, holder)
        if self._session.may_send(request):
            self._link.send(request)
            self._session.sent(request)
        self._heard.set()

    async def _tell_alert(self, event: BrokerEvent) -> None:
        alerts, told = self._ports.alerts, event.payload
        tell = alerts.end_alert if told.get("is_over") else alerts.raise_alert
        await asyncio.to_thread(tell, f"{COMPONENT}_{told['code']}", told["text"])

    async def _finish(self, received: ReceivedCommand, result: CommandResult) -> None:
        await asyncio.to_thread(self._ports.commands.finish, received, result)

    def _mind_spool(self) -> None:
        if self._spool.lost_entries:
            self._spool.lost_entries = False
            self._session.outbox_lost()
        if not self._is_full and self._spool.is_nearly_full:
            self._is_full = True
            self._session.outbox_full(f"{len(self._spool)} events wait for the outbox")
        elif self._is_full and self._spool.has_room_again:
            self._is_full = False
            self._session.outbox_has_room()

    async def _pause(self) -> None:
        until = self._session.next_tick()
        left = TICK_MAX_S if until is None else (until - self._now()).total_seconds()
        try:
            await asyncio.wait_for(self._heard.wait(), min(max(left, 0.0), TICK_MAX_S))
        except TimeoutError:
            return

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step again and again; a service that is away is waited for."""
        while not self._stopping or (step == self._write and self._has_work()):
            try:
                await step()
            except TransientError as error:
                if not self._redis_fails:
                    _log.warning("waiting for the live state: %s", error)
                self._redis_fails = True
                await asyncio.sleep(PAUSE_AFTER_FAILURE_S)

    def _has_work(self) -> bool:
        return len(self._spool) > 0

    async def _write(self) -> None:
        """Move the front of the line: events into the outbox, then what waited for them."""
        await self._told.wait()
        await self._take_over()
        while self._has_work():
            step = self._spool.next_step()
            if step is not None:
                await step()
                self._spool.written(1)
            else:
                batch = self._spool.next_batch()
                for event in await asyncio.to_thread(self._spool.write, batch):
                    self._session.event_left_out(event.kind.value)
                self._spool.written(len(batch))
                self._heard.set()
            self._redis_fails = False
        if not self._stopping:
            self._told.clear()

    async def _take_commands(self) -> None:
        if self._redis_fails:
            await asyncio.sleep(PAUSE_AFTER_FAILURE_S)
            return
        await self._take_over()
        taken = await asyncio.to_thread(self._ports.commands.receive, COMMANDS_PER_CALL_MAX, COMMANDS_WAIT_S)
        for received in taken:
            self._session.take_command(received)
        if taken:
            self._heard.set()
        else:
            await asyncio.sleep(COMMANDS_PAUSE_S)

    async def _hold(self) -> None:
        """Keep the lease; another holder of it is an error that ends all."""
        lease = self._ports.lease
        if lease is not None:
            await asyncio.to_thread(lease.keep)
        await asyncio.sleep(TICK_MAX_S if lease is None else lease.every_s)

    async def _take_over(self) -> None:
        """Work under the lease that is held now; before there is one nothing is written and none is taken."""
        lease = self._ports.lease
        if lease is None or (lease.lease is not None and lease.lease == self._works_under):
            return
        under = lease.lease
        if under is None:
            raise LiveStateUnavailableError(f"the lease {lease.component} is not taken yet")
        await asyncio.to_thread(self._ports.take_over, under)
        if self._works_under is None:
            await asyncio.to_thread(self._ports.alerts.take_over)
        self._works_under = under

    async def _beat(self) -> None:
        every = self._settings.heartbeat_every_s
        await self._take_over()
        await asyncio.to_thread(self._ports.live_state.beat, COMPONENT, self._now(), every * BEATS_KEPT)
        self._redis_fails = False
        await asyncio.sleep(every)

    def _now(self) -> datetime:
        return self._ports.clock.now()


def _say(event: BrokerEvent) -> None:
    """Log what a person at the console wants to see: what becomes of the link, and alerts."""
    told = event.payload
    if event.kind is BrokerEventKind.LINK:
        _log.info("link %s: %s", told["state"], told["text"], extra={"code": told["code"]})
    elif event.kind is BrokerEventKind.ALERT:
        _log.warning("alert %s%s: %s", told["code"], " is over" if told.get("is_over") else "", told["text"])
