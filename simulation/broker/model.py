"""What clients place and what the simulated broker says about it: plain values without wire or clock.

Prices, quantities and fees are Decimal; times aware UTC. `None` is an unset number. Keep out: how a value
looks in a message, and how orders are matched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from simulation.sample_desk.contracts import Contract

VOLATILITY_MOST = 10.0  # of a year: beyond it no volatility gives the price


class Status(StrEnum):
    """Order status as the API spells it."""

    PENDING_SUBMIT = "PendingSubmit"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    FILLED = "Filled"
    PENDING_CANCEL = "PendingCancel"
    CANCELLED = "Cancelled"
    INACTIVE = "Inactive"

    @property
    def is_done(self) -> bool:
        """Whether nothing will happen to the order any more."""
        return self in (Status.FILLED, Status.CANCELLED, Status.INACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg of a combination; ratio units per combination, action BUY or SELL."""

    conid: int
    ratio: int
    action: str
    exchange: str = "SMART"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as a client placed it. `contract` is None for a combination, whose legs say what it is.

    `extras` holds every other field of the message by the API's name, so that the order is told back as it
    was placed.
    """

    client_id: int
    order_id: int
    account: str
    contract: Contract | None
    legs: tuple[Leg, ...] = ()
    action: str
    quantity: Decimal
    order_type: str
    limit_price: Decimal | None = None
    aux_price: Decimal | None = None
    trail_stop_price: Decimal | None = None
    trailing_percent: Decimal | None = None
    tif: str = "DAY"
    oca_group: str = ""
    oca_type: int = 0
    parent_id: int = 0
    transmit: bool = True
    what_if: bool = False
    outside_rth: bool = False
    order_ref: str = ""
    exchange: str = "SMART"
    extras: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as it stands; perm_id is unique from the first message on. A copy, not the engine's own."""

    ticket: Ticket
    perm_id: int
    status: Status
    filled: Decimal
    remaining: Decimal
    average_price: Decimal
    last_price: Decimal
    placed_at: datetime
    parent_perm_id: int = 0
    why_held: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView:
    """One execution; exec_id has four dotted parts, the last one the revision."""

    exec_id: str
    at: datetime
    account: str
    contract: Contract
    exchange: str
    side: int
    quantity: Decimal
    price: Decimal
    perm_id: int
    client_id: int
    order_id: int
    cumulative: Decimal
    average_price: Decimal
    order_ref: str
    liquidity: int
    is_combination: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionView:
    """The report of one execution; positive when paid, negative for a rebate; realized None when unset."""

    exec_id: str
    amount: Decimal
    currency: str
    realized: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """What an account holds; average_cost contains fees and the multiplier, as the API tells it."""

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The touch and the last trade of one contract; None where there is none."""

    at: datetime
    bid: Decimal | None
    ask: Decimal | None
    bid_size: int
    ask_size: int
    last: Decimal | None = None
    last_size: int = 0
    volume: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """Model values of one option; floats, since they are model output and never summed as money."""

    implied_volatility: float
    delta: float
    gamma: float
    vega: float
    theta: float
    price: float
    underlying: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """The answer to a what-if order; None is told as the unset number."""

    initial_before: Decimal | None
    initial_change: Decimal | None
    initial_after: Decimal | None
    maintenance_before: Decimal | None
    maintenance_change: Decimal | None
    maintenance_after: Decimal | None
    equity_before: Decimal | None
    equity_change: Decimal | None
    equity_after: Decimal | None
    commission: Decimal | None
    commission_currency: str = "USD"


# What the broker says, in the order in which a gateway would tell it.


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTold:
    """An order opened or changed: told as open order and status."""

    order: OrderView
    open_order: bool = True  # False: only the status message


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A fill happened (or was corrected: a higher revision)."""

    execution: ExecutionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Commissioned:
    """The commission report of an execution; `due_at` says when it goes out."""

    report: CommissionView
    client_id: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An error or notice about an order; the code is the API's."""

    client_id: int
    order_id: int
    code: int
    text: str
    reject_json: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The answer to an order that was only asked about."""

    order: OrderView
    margin: Margin


BrokerSays = OrderTold | Executed | Commissioned | Refused | WhatIf
