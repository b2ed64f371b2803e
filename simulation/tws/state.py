"""What all clients share: the broker, its clock, settings, faults, who is connected, and the teller."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from simulation.broker.model import BrokerSays, PositionView
from simulation.broker.questions import ContractQuery, ContractRecord
from simulation.tws.client import Client
from simulation.tws.contracts import EXCHANGES
from simulation.tws.engine import Clock, Engine
from simulation.tws.faults import WireFaults
from simulation.tws.notices import AMBIGUOUS, START_UP
from simulation.tws.options import GatewayOptions
from simulation.tws.pacing import Attention
from simulation.tws.replies import session as say
from simulation.tws.replies.executions import time_text
from simulation.tws.telling import Teller
from trading.model.times import NEW_YORK


@dataclass(slots=True)
class Clients:
    """Who is connected: sockets that said nothing yet, and clients by id."""

    most: int
    by_id: dict[int, Client] = field(default_factory=dict)
    unnamed: set[Client] = field(default_factory=set)

    def __iter__(self) -> Iterator[Client]:
        return iter(list(self.by_id.values()))

    @property
    def all(self) -> list[Client]:
        """Named or not."""
        return [*self.by_id.values(), *self.unnamed]

    def welcome(self, client: Client) -> bool:
        """Take a new socket, unless there are too many."""
        if len(self.by_id) + len(self.unnamed) >= self.most:
            return False
        self.unnamed.add(client)
        return True

    def admit(self, client_id: int, client: Client) -> bool:
        """Give a client its id; False when the id is taken."""
        if client_id in self.by_id:
            return False
        self.unnamed.discard(client)
        self.by_id[client_id] = client
        return True

    def forget(self, client: Client) -> None:
        """A socket is gone."""
        self.unnamed.discard(client)
        if client.client_id is not None and self.by_id.get(client.client_id) is client:
            del self.by_id[client.client_id]

    def hearing(self, client_id: int, master: int | None) -> list[Client]:
        """Who is told about an order of a client: the client itself, and the master client."""
        wanted = [client_id] if master in (None, client_id) else [client_id, master]
        return [self.by_id[each] for each in wanted if each is not None and each in self.by_id]


@dataclass(slots=True)
class GatewayState:
    """The gateway without its sockets."""

    broker: Engine
    clock: Clock
    accounts: Sequence[str]
    options: GatewayOptions
    faults: WireFaults
    clients: Clients
    teller: Teller
    attention: Attention = field(default_factory=Attention)
    _positions: Sequence[PositionView] | None = None

    def positions(self) -> Sequence[PositionView]:
        """What is held, asked once for all feeds of one look at the world."""
        if self._positions is None:
            self._positions = self.broker.positions()
        return self._positions

    def look_anew(self) -> None:
        """The world has moved: what was asked of it before is old."""
        self._positions = None

    def tell(self, says: Sequence[BrokerSays]) -> None:
        """Tell the clients concerned what the broker said, in its order."""
        self.look_anew()
        self.teller.tell(self, says, self.clock.now())

    def begin(self, client: Client) -> None:
        """Tell at once what a subscription that has just begun has to say, as far as anything is told."""
        if not self.teller.is_cut_off:
            for message in client.subscriptions.first_news(self, self.clock.now()):
                client.send(message)

    def greet(self, client: Client) -> None:
        """What a client hears when it has started."""
        assert client.client_id is not None
        next_id = self.broker.next_order_id(client.client_id) + self.faults.next_id_jump
        client.send(say.managed_accounts(self.accounts))
        client.send(say.next_valid_id(next_id))
        for code, text in START_UP:
            client.error(say.NO_REQUEST, code, text)

    def connection_time(self) -> str:
        """The handshake's free text."""
        return f"{self.clock.told().astimezone(NEW_YORK):%Y%m%d %H:%M:%S %Z}"

    def time_of_execution(self, at: datetime) -> str:
        """An execution's time in the form this gateway is set to."""
        zone = self.faults.execution_zone or "US/Eastern"
        return time_text(at, self.options.execution_time, zone)

    def one_contract(self, query: ContractQuery) -> ContractRecord | None:
        """The contract a request names, when exactly one matches."""
        found = self.broker.contracts(query)
        return found[0] if len(found) == 1 else None

    def the_contract(self, client: Client, request_id: int, query: ContractQuery) -> ContractRecord | None:
        """The same; where there is none, or more than one, that has been said (200)."""
        found = self.broker.contracts(query) if query.exchange in ("", *EXCHANGES) else []
        if len(found) == 1:
            return found[0]
        client.error(request_id, 200, AMBIGUOUS.format(symbol=query.symbol) if found else None)
        return None
