"""What all parts of the session share: settings, clock, outputs, the link's state, the orders as known."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.ibkr.session.alerts import Alerts
from adapters.ibkr.session.broker_clock import BrokerClock
from adapters.ibkr.session.orders import KnownOrders
from adapters.ibkr.session.outputs import Outputs
from adapters.ibkr.session.pacing import Pacing, Request
from trading.model.broker import BrokerEvent, LinkState
from trading.ports.clock import Clock
from trading.settings import BrokerSettings

CONNECTED = frozenset({LinkState.ADOPTING, LinkState.READY, LinkState.DATA_DEGRADED})
WORKING = frozenset({LinkState.READY, LinkState.DATA_DEGRADED})
CADENCE_MIN = timedelta(milliseconds=250)  # however fast a simulated broker's day goes by


@dataclass(slots=True)
class Context:
    """One session's shared state; only the session itself changes `state` and `accounts`."""

    settings: BrokerSettings
    clock: Clock
    pacing: Pacing
    broker_clock: BrokerClock
    orders: KnownOrders = field(default_factory=KnownOrders)
    alerts: Alerts = field(default_factory=Alerts)
    outputs: Outputs = field(default_factory=Outputs)
    state: LinkState = LinkState.LOST
    accounts: tuple[str, ...] = ()
    next_number: int = 1

    def now(self) -> datetime:
        """The present moment."""
        return self.clock.now()

    def broker_now(self) -> datetime | None:
        """What the broker's clock shows at the least."""
        return self.broker_clock.at(self.now())

    def tell(self, event: BrokerEvent) -> None:
        """Put an event into the outbox."""
        self.outputs.events.append(event)

    def alert(self, code: str, text: str) -> None:
        """Tell a person, unless he was told the same just now."""
        event = self.alerts.raised(code, text, self.now())
        if event is not None:
            self.tell(event)

    def send(self, request: Request) -> bool:
        """Queue a request; False when too much waits."""
        if self.pacing.put(request):
            return True
        self.alert("queue_full", f"{request.send.value} refused: {self.pacing.waiting()} requests wait")
        return False

    def forget_connection(self) -> None:
        """Drop what belongs to the connection that is gone: its queue, its order numbers, its clock."""
        self.pacing.drop_all()
        self.outputs.requests.clear()
        self.orders.forget_numbers()
        self.broker_clock.forget()

    def take_number(self) -> int:
        """The next number for a request or an order; both share one sequence, and none is used twice."""
        number = self.next_number
        self.next_number += 1
        return number

    def raise_number(self, least: int) -> None:
        """Use no number below this one."""
        self.next_number = max(self.next_number, least)

    def ours(self, broker_seconds: float) -> timedelta:
        """A duration of the broker's day in our time."""
        return max(timedelta(seconds=broker_seconds) / self.settings.speed, CADENCE_MIN)
