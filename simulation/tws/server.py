"""The gateway server: sockets on loopback, the pump that moves the world and tells the clients.

One asyncio loop owns everything, so the broker behind it needs no locks; another thread reaches it only
through `loop.call_soon_threadsafe`. Actions a fault script takes on the link are methods here; switches that
stay on are `faults`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from simulation.broker.model import BrokerSays
from simulation.tws import dispatch
from simulation.tws.client import Client
from simulation.tws.depth_feeds import DepthFeed
from simulation.tws.engine import Clock, Engine
from simulation.tws.faults import WireFaults
from simulation.tws.link import Link
from simulation.tws.notices import text_of
from simulation.tws.options import GatewayOptions
from simulation.tws.pacing import BEAT_S
from simulation.tws.replies import Message
from simulation.tws.replies import session as say
from simulation.tws.state import Clients, GatewayState
from simulation.tws.telling import Teller

LOGGER = logging.getLogger(__name__)
MARKET_FEEDS = ("level1", "depth", "tick_by_tick", "bars", "history")
HAND_OVER_EVERY_S = 0.001
NOBODY_IN_PARTICULAR = say.NO_REQUEST


class GatewayServer:
    """A gateway in front of one simulated broker."""

    def __init__(
        self,
        broker: Engine,
        clock: Clock,
        *,
        accounts: Sequence[str],
        options: GatewayOptions | None = None,
        faults: WireFaults | None = None,
    ) -> None:
        options = options or GatewayOptions()
        self.clock = clock
        self.faults = faults or WireFaults()
        self.state = GatewayState(
            broker=broker,
            clock=clock,
            accounts=tuple(accounts),
            options=options,
            faults=self.faults,
            clients=Clients(options.clients_max),
            teller=Teller(),
        )
        self.before_advance: list[Callable[[datetime], Sequence[BrokerSays]]] = []
        self.failure: BaseException | None = None
        self._server: asyncio.Server | None = None
        self._pump: asyncio.Task[None] | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._port = options.port

    # life

    @property
    def port(self) -> int:
        """Where it listens; known once started, and kept over a restart."""
        return self._port

    async def start(self) -> None:
        """Listen and let the world move."""
        await self._listen()
        self._keep_beating()
        self._pump = asyncio.create_task(self._keep_pumping())

    async def stop(self) -> None:
        """Close every connection and stop."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])  # what it failed of is in `failure`
            self._pump = None
        if self._beat is not None:
            self._beat.cancel()
        await self._hang_up()

    async def restart(self, down_s: float = 0.0) -> None:
        """As every night: all connections end, and some wall seconds later it listens on the same port."""
        await self._hang_up()
        await asyncio.sleep(down_s)
        await self._listen()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        options = self.state.options
        self._server = await loop.create_server(
            lambda: Link(self.faults, self._welcome), options.host, self._port
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def _hang_up(self) -> None:
        if self._server is None:
            return
        self._server.close()
        self.drop_links()
        await self._server.wait_closed()
        self._server = None

    def _welcome(self, link: Link) -> Client | None:
        if self.faults.refuse_connections:
            return None
        client = Client(link, self.state, dispatch.handle)
        return client if self.state.clients.welcome(client) else None

    # the pump

    def _keep_beating(self) -> None:
        """How late this comes is how long nobody read the sockets, whatever the reason."""
        loop = asyncio.get_running_loop()
        self.state.attention.beat(loop.time())
        self._beat = loop.call_later(BEAT_S, self._keep_beating)

    async def _keep_pumping(self) -> None:
        try:
            while True:
                self.pump()
                await asyncio.sleep(self.state.options.pump_s)
        except Exception as error:
            self.failure = error
            LOGGER.exception("the gateway cannot go on")
            self.drop_links()

    def pump(self) -> None:
        """Move the world to now and tell everybody what is new."""
        now = self.clock.now()
        for step in self.before_advance:
            self.state.tell(step(now))
            now = min(now, self.clock.now())  # a step may have let the clock stand at a moment just past
        self.state.tell(self.state.broker.advance(now))
        self.state.teller.release(self.state, now)
        self._close_idlers()
        is_cut_off = self.state.teller.is_cut_off
        for client in self.state.clients:
            if not is_cut_off:
                for message in client.subscriptions.news(self.state, now):
                    client.send(message)
            client.link.flush()

    def _close_idlers(self) -> None:
        """Cut off who holds a place without saying who it is."""
        if not self.state.clients.unnamed:
            return  # a world that nobody listens to may be moved without a loop
        latest_s = asyncio.get_running_loop().time() - self.state.options.start_within_s
        for client in list(self.state.clients.unnamed):
            if client.opened_at_s < latest_s:
                client.link.abort()

    def tell(self, says: Sequence[BrokerSays]) -> None:
        """Tell what the broker said when somebody else called it (a correction, an order by hand)."""
        self.state.tell(says)
        self.flush()

    def flush(self) -> None:
        """Send what is queued."""
        for client in self.state.clients:
            client.link.flush()

    async def handed_over(self, within_s: float) -> bool:
        """Wait until the sockets have taken all that was said; False when a client does not read in time."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while any(client.link.unsent_bytes for client in self.state.clients):
            if loop.time() > until_s:
                return False
            await asyncio.sleep(HAND_OVER_EVERY_S)
        return True

    # actions on the link

    def drop_links(self, *, mid_message: bool = False, client_id: int | None = None) -> None:
        """Cut connections without a word; `mid_message` after half of one more message."""
        for client in self.state.clients.all:
            if client_id is not None and client.client_id != client_id:
                continue
            if mid_message and client.is_started:
                self.faults.cut_next_message = True
                client.send(say.current_time(self.clock.told()))
            client.link.abort()

    def notify(self, code: int, text: str | None = None, request_id: int = NOBODY_IN_PARTICULAR) -> None:
        """Send a notice or error to everybody, by default with the code's own wording."""
        words = text_of(code, port=self.port) if text is None else text
        for client in self.state.clients:
            client.error(request_id, code, words)
        self.flush()

    def lose_broker(self) -> None:
        """1100: clients stay connected, but nothing that happens is told until it is back."""
        self.state.teller.is_cut_off = True
        self.notify(1100)

    def find_broker(self, *, data_lost: bool) -> None:
        """1101 (subscriptions are gone and must be asked for again) or 1102 (they go on)."""
        if data_lost:
            for client in self.state.clients:
                client.subscriptions.drop(*MARKET_FEEDS)
        self.notify(1101 if data_lost else 1102)
        self.state.teller.reconnect(self.state, self.clock.now())
        self.flush()

    def move_port(self) -> None:
        """1300: the socket port is reset and every connection dropped."""
        self.notify(1300)
        for client in self.state.clients:
            client.link.close()

    def resend_executions(self, count: int) -> None:
        """Send the last executions of the day once more, as if they had just happened."""
        told = self.state.broker.executions(self.clock.now())[-count:]
        for execution, _ in told:
            self.state.teller.send_execution(self.state, execution)
        self.flush()

    def reset_depth(self) -> None:
        """317: clients empty their books and are told them anew."""
        for client in self.state.clients:
            for (kind, request_id), feed in client.subscriptions.running.items():
                if kind == "depth" and isinstance(feed, DepthFeed):
                    client.error(request_id, 317)
                    feed.forget()
        self.flush()

    def break_depth(self) -> None:
        """A change of a level that no book has: clients must notice that theirs is wrong."""
        for client in self.state.clients:
            for feed in client.subscriptions.running.values():
                if isinstance(feed, DepthFeed):
                    client.send(feed.impossible())
        self.flush()

    def order_error(self, client_id: int, order_id: int, code: int, text: str, reject_json: str = "") -> None:
        """An error that names an order, whatever the order's standing is."""
        for client in self.state.clients.hearing(client_id, None):
            client.error(order_id, code, text, reject_json)
            client.link.flush()

    def send_raw(self, message: Message) -> None:
        """Any texts at all: an unknown message id, a field too many."""
        for client in self.state.clients:
            client.send(message)
            client.link.flush()
