"""The live state: what real-time components see of positions, P&L, locks and one another.

Everything here can be lost and is rebuilt from the warehouse. What is missing closes doors, never opens
them: without a locks epoch no entry is allowed.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.broker import BrokerOrder, BrokerPosition


class LockScope(StrEnum):
    """How much a lock closes for entries; exits stay allowed."""

    CONTRACT = "contract"
    UNDERLYING = "underlying"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A refusal of entries with its reason; `scope_id` is the account and what in it (`U1`, `U1:SPX`)."""

    scope: LockScope
    scope_id: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAnswer:
    """Whether entries are allowed, and if not why."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedPosition:
    """What one session realized in one instrument, by the broker's truth.

    `placeholder` marks what reconciliation made because nothing of ours was there; views leave it out.
    """

    account: str
    session: date
    instrument: str
    symbol: str
    currency: str
    realized: Decimal
    fees: Decimal
    quantity_closed: Decimal
    closed_at: datetime | None
    placeholder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDailyPnl:
    """One account's P&L of one session in base currency; None where it is not known."""

    account: str
    session: date
    base_currency: str
    realized: Decimal
    fees: Decimal
    unrealized: Decimal | None
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work a shard until it expires; `fencing` grows with every new holder.

    `since` is told to those who look at who has it; None where that is not known.
    """

    component: str
    shard: str
    owner: str
    fencing: int
    since: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPositions:
    """What an account holds by the newest complete answer, and when that was asked."""

    positions: tuple[BrokerPosition, ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingOrders:
    """An account's working orders: those of the newest complete answer and what was told of them since."""

    orders: tuple[BrokerOrder, ...]
    asked_at: datetime


class LiveState(ABC):
    """Every method raises LiveStateUnavailableError when there is no answer: never an empty one."""

    @abstractmethod
    def put_closed_positions(self, account: str, session: date, positions: Sequence[ClosedPosition]) -> None:
        """Replace what is said of this account and session: positions that are not named are taken away."""

    @abstractmethod
    def closed_positions(self, account: str, session: date) -> Sequence[ClosedPosition]:
        """Return the closed positions of one account and session, by instrument."""

    @abstractmethod
    def put_open_positions(
        self, account: str, positions: Sequence[BrokerPosition], asked_at: datetime
    ) -> None:
        """Replace what the account holds by a complete answer; an older one is passed over."""

    @abstractmethod
    def open_positions(self, account: str) -> OpenPositions | None:
        """Return what the account holds, by contract; None where nobody knows, which is not flat."""

    @abstractmethod
    def put_working_orders(self, account: str, orders: Sequence[BrokerOrder], asked_at: datetime) -> None:
        """Replace the account's working orders by a complete answer; an older one is passed over."""

    @abstractmethod
    def put_order(self, order: BrokerOrder) -> None:
        """Set an order as it was last told, or take it away when it works no more."""

    @abstractmethod
    def working_orders(self, account: str) -> WorkingOrders | None:
        """Return the account's working orders, by order_ref and perm_id; None where nobody knows."""

    @abstractmethod
    def put_daily_pnl(self, pnl: AccountDailyPnl) -> None:
        """Set one account's P&L, unless a later session's is there already."""

    @abstractmethod
    def daily_pnl(self) -> Mapping[str, AccountDailyPnl]:
        """Return the latest P&L of every account."""

    @abstractmethod
    def put_lock(self, lock: Lock) -> None:
        """Set a lock; it has no expiry."""

    @abstractmethod
    def locks(self) -> Sequence[Lock]:
        """Return every lock, by scope and id."""

    @abstractmethod
    def rebuild_locks(self, locks: Sequence[Lock], epoch: str) -> None:
        """Make the locks exactly these, and only then set the epoch that says they are complete."""

    @abstractmethod
    def locks_epoch(self) -> str | None:
        """Return the epoch of the last rebuild; None after a flush."""

    @abstractmethod
    def entries_allowed(self, account: str, underlying: str, instrument: str) -> EntryAnswer:
        """Say whether entries are allowed: no lock on any of the three, and the epoch there."""

    @abstractmethod
    def acquire_lease(self, component: str, shard: str, owner: str, ttl_s: int) -> Lease | None:
        """Take the lease, or keep it when `owner` has it; None while another has it."""

    @abstractmethod
    def renew_lease(self, lease: Lease, ttl_s: int) -> bool:
        """Keep the lease; False when it was lost."""

    @abstractmethod
    def keep_lease(self, lease: Lease, ttl_s: int) -> Lease | None:
        """Keep the lease, also one that ran out, unless another had it since; None then.

        A live state that lost everything gives it again under a higher number.
        """

    @abstractmethod
    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; only its holder can."""

    @abstractmethod
    def lease_holder(self, component: str, shard: str) -> Lease | None:
        """Return who has the lease now, for those who only look; None when it is free."""

    @abstractmethod
    def beat(self, component: str, now: datetime, ttl_s: int) -> None:
        """Say that a component lives, for `ttl_s`."""

    @abstractmethod
    def heartbeats(self) -> Mapping[str, datetime]:
        """Return when each living component last said so."""
