"""What all parts of the session share: settings, clock, outputs, the link's state, the orders as known.

What can lose money here is the number of an order: the gateway reads numbers of 32 bits, and an order under
one that was used before changes the older order. So where the broker's next number is beyond the bound,
orders get none any more and a person is told; questions, whose numbers are only ours, go on from 1.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.ibkr.session.alerts import OF_THE_LINK, Alerts
from adapters.ibkr.session.broker_clock import BrokerClock
from adapters.ibkr.session.orders import KnownOrders
from adapters.ibkr.session.outputs import Outputs
from adapters.ibkr.session.pacing import Pacing, Request
from trading.model.broker import BrokerEvent, LinkState
from trading.ports.clock import Clock
from trading.settings import BrokerSettings

WORKING = frozenset({LinkState.READY, LinkState.DATA_DEGRADED})
NUMBER_MAX = 2**31 - 1  # of a request or an order: the gateway reads no greater one
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
    numbers_ended: bool = False  # no order of this process may be numbered any more

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

    def over(self, code: str, by: str) -> None:
        """Tell a person that a condition holds no more, where it was told."""
        event = self.alerts.over(code, by, self.now())
        if event is not None:
            self.tell(event)

    def mind_conditions(self) -> None:
        """End what is found to hold no more: the link's troubles, and a full queue."""
        if self.state is LinkState.READY:
            for code in OF_THE_LINK:
                self.over(code, "the link is ready")
        if self.pacing.waiting() <= self.settings.requests_waiting_max // 2:
            self.over("queue_full", "half of the queue is empty")

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
        if self.next_number > NUMBER_MAX:
            self._end_numbers(f"{NUMBER_MAX} was used")
            self.next_number = 1
        number = self.next_number
        self.next_number += 1
        return number

    def take_order_number(self) -> int | None:
        """The next number for an order; None where there is none that the gateway would read as a new one."""
        if self.numbers_ended or self.next_number > NUMBER_MAX:
            self._end_numbers(f"{NUMBER_MAX} was used")
            return None
        return self.take_number()

    def raise_number(self, least: int) -> None:
        """Use no number below this one; one that is no number for the gateway ends those of orders."""
        if not 1 <= least <= NUMBER_MAX:
            self._end_numbers(f"the broker's next number was {least}")
        elif not self.numbers_ended:
            self.next_number = max(self.next_number, least)

    def _end_numbers(self, why: str) -> None:
        self.numbers_ended = True
        self.alert("numbers_ended", f"no order is numbered: expected 1 to {NUMBER_MAX}, {why}")

    def ours(self, broker_seconds: float) -> timedelta:
        """A duration of the broker's day in our time."""
        return max(timedelta(seconds=broker_seconds) / self.settings.speed, CADENCE_MIN)
