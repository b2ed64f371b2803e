"""Orders as the broker holds them: the table of states, the table of order types, the register.

A done order never changes again: `move` refuses every step that the table does not have, so a mistake in the
engine is an error here and not a fill on a cancelled order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from simulation.broker.model import OrderView, Status, Ticket
from simulation.sample_desk.contracts import Contract

ORDERS_MOST = 200_000  # of one broker's life
PRICE_PLACES = Decimal("0.00000001")
DEFAULT_GROUP_TYPE = 3
TRADER_IDS_FROM = 1_000_000_001  # the sample trader's order ids: they do not move a client's own numbering

STEPS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.PENDING_SUBMIT: frozenset({Status.PRE_SUBMITTED, Status.INACTIVE, Status.CANCELLED}),
        Status.PRE_SUBMITTED: frozenset(
            {
                Status.SUBMITTED,
                Status.FILLED,
                Status.PENDING_CANCEL,
                Status.CANCELLED,
                Status.INACTIVE,
            }
        ),
        Status.SUBMITTED: frozenset(
            {Status.PRE_SUBMITTED, Status.FILLED, Status.PENDING_CANCEL, Status.CANCELLED}
        ),
        Status.PENDING_CANCEL: frozenset({Status.CANCELLED, Status.FILLED}),
        Status.FILLED: frozenset(),
        Status.CANCELLED: frozenset(),
        Status.INACTIVE: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderType:
    """What an order type needs and how it behaves."""

    needs_limit: bool = False
    needs_aux: bool = False
    waits_for_trigger: bool = False
    trails: bool = False
    at_close: bool = False
    has_limit: bool = False


ORDER_TYPES: Mapping[str, OrderType] = MappingProxyType(
    {
        "MKT": OrderType(),
        "LMT": OrderType(needs_limit=True, has_limit=True),
        "STP": OrderType(needs_aux=True, waits_for_trigger=True),
        "STP LMT": OrderType(needs_limit=True, needs_aux=True, waits_for_trigger=True, has_limit=True),
        "TRAIL": OrderType(waits_for_trigger=True, trails=True),
        "TRAIL LIMIT": OrderType(waits_for_trigger=True, trails=True, has_limit=True),
        "MOC": OrderType(at_close=True),
        "LOC": OrderType(at_close=True, needs_limit=True, has_limit=True),
    }
)
TIMES_IN_FORCE = ("DAY", "GTC", "IOC", "FOK", "GTD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One contract of an order: the order's own, or a leg; `side` already includes the order's action."""

    contract: Contract
    ratio: int
    side: int


@dataclass(slots=True, kw_only=True, eq=False)
class Working:
    """An order and all that the engine knows about it; changed only by the order desk."""

    ticket: Ticket
    perm_id: int
    place: int
    placed_at: datetime
    parts: tuple[Part, ...]
    group_number: int = 0
    status: Status = Status.PENDING_SUBMIT
    released: bool = False
    filled: Decimal = Decimal(0)
    money: Decimal = Decimal(0)
    last_price: Decimal = Decimal(0)
    parent: "Working | None" = None
    children: list["Working"] = field(default_factory=list)
    why_held: str = ""
    ended_at: datetime | None = None
    oca_group: str = ""
    oca_type: int = 0
    in_market: bool = False
    triggered: bool = False
    triggers_seen: int = 0
    stop_cents: int | None = None
    limit_cents: int | None = None
    limit_offset_cents: int = 0
    queue_ahead: int | None = None
    asleep_until: int = 0  # the second before which the market cannot reach it

    @property
    def side(self) -> int:
        """1 for a buy, -1 for a sale."""
        return 1 if self.ticket.action == "BUY" else -1

    @property
    def kind(self) -> OrderType:
        """The row of the table of types."""
        return ORDER_TYPES[self.ticket.order_type]

    @property
    def remaining(self) -> Decimal:
        """What is left to do; nothing once the order is done."""
        return self.ticket.quantity - self.filled

    @property
    def average_price(self) -> Decimal:
        """Average of all executions, 0 before the first."""
        return (self.money / self.filled).quantize(PRICE_PLACES).normalize() if self.filled else Decimal(0)

    @property
    def is_live(self) -> bool:
        """Whether the broker has it and it is not done."""
        return self.released and not self.status.is_done

    @property
    def is_combination(self) -> bool:
        """Whether it trades legs."""
        return self.ticket.contract is None

    def move(self, to: Status) -> None:
        """Step to another state; a step that is not in the table is an error of the engine."""
        if to is self.status and not to.is_done:
            return
        if to not in STEPS[self.status]:
            raise ValueError(f"status: expected a step from {self.status}, was {to} (order {self.perm_id})")
        self.status = to

    def set_prices(self) -> None:
        """Take limit, stop and offset over from the ticket; cents."""
        ticket = self.ticket
        limit, stop = ticket.limit_price, ticket.trail_stop_price
        if self.kind.trails:
            self.stop_cents = _cents(stop)
            offset = ticket.extras.get("lmtPriceOffset")
            if offset:
                self.limit_offset_cents = abs(int(Decimal(offset) * 100))
            elif stop is not None and limit is not None:
                self.limit_offset_cents = abs(int((stop - limit) * 100))
            return
        self.limit_cents = _cents(limit) if self.kind.has_limit else None
        if self.kind.waits_for_trigger:
            self.stop_cents = _cents(ticket.aux_price)

    def view(self) -> OrderView:
        """The order as it stands."""
        return OrderView(
            ticket=self.ticket,
            perm_id=self.perm_id,
            status=self.status,
            filled=self.filled,
            remaining=self.remaining,
            average_price=self.average_price,
            last_price=self.last_price,
            placed_at=self.placed_at,
            parent_perm_id=self.parent.perm_id if self.parent else 0,
            why_held=self.why_held,
            ended_at=self.ended_at,
        )


@dataclass(slots=True)
class OrderRegister:
    """All orders of the broker's life, by permanent id and by client and order id."""

    by_perm: dict[int, Working] = field(default_factory=dict)
    by_client: dict[tuple[int, int], Working] = field(default_factory=dict)
    highest: dict[int, int] = field(default_factory=dict)

    def add(self, order: Working) -> None:
        """Take an order in."""
        if len(self.by_perm) >= ORDERS_MOST:
            raise ValueError(f"orders: expected at most {ORDERS_MOST}")
        self.by_perm[order.perm_id] = order
        client, number = order.ticket.client_id, order.ticket.order_id
        self.by_client[client, number] = order
        if number < TRADER_IDS_FROM:
            self.highest[client] = max(self.highest.get(client, 0), number)

    def find(self, client_id: int, order_id: int) -> Working | None:
        """The order that a client means by its number."""
        return self.by_client.get((client_id, order_id))

    def is_used_up(self, client_id: int, order_id: int) -> bool:
        """Whether the number lies at or below one that the client has used."""
        return order_id < TRADER_IDS_FROM and order_id <= self.highest.get(client_id, 0)

    def next_id(self, client_id: int) -> int:
        """The next number that a client may use."""
        return self.highest.get(client_id, 0) + 1

    def live(self) -> Iterator[Working]:
        """Orders that the broker works, in the order of their placing."""
        return (order for order in list(self.by_perm.values()) if order.is_live)


def _cents(price: Decimal | None) -> int | None:
    return None if price is None else int(price * 100)
