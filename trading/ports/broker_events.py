"""Where drained entries of the broker session are kept, and what is read from them.

What can lose money here: an entry that is stored twice and counted twice (an entry is its stream's id: stored
again it is the same), one that is acknowledged and not stored (record answers only when all are there), and
one poisoned entry that stops all others (it is refused by itself, with its payload).
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition, OutboxEntry
from trading.model.fills import Source, Venue
from trading.ports.outbox import UnreadableEntry

COVERING_SOURCES = (Source.SAME_DAY, Source.CONFIRMATION, Source.STATEMENT, Source.BACKFILL)
GAPS_MAX = 1_000
ORDERS_MAX = 100_000
EVER = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCommission:
    """A commission report that came before its execution, and whose it is now."""

    stream: str
    exec_id: str
    fields: tuple[str, ...]
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxGap:
    """A fault in the numbers of a stream's life: `missing` ones, or one that was given twice (`reused`)."""

    stream: str
    epoch: str
    fault: str
    from_sequence: int
    to_sequence: int
    heard_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageHole:
    """A part of an interval that no source has told completely; start inclusive, end exclusive."""

    account: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderState:
    """An order as it was last told, and when, by this machine's clock and by the broker's."""

    order: BrokerOrder
    is_working: bool
    first_heard_at: datetime
    last_heard_at: datetime
    broker_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPosition:
    """A position of the account's newest complete answer, and when that was asked."""

    position: BrokerPosition
    asked_at: datetime
    broker_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFigure:
    """A figure of an account as it was last told; `amount` is None where it is no number."""

    value: AccountValue
    amount: Decimal | None
    heard_at: datetime
    broker_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """The newest reading of the broker's clock: the broker's time less ours."""

    heard_at: datetime
    broker_at: datetime | None
    skew_ms: float


class BrokerEventStore(ABC):
    """Every method raises WarehouseUnavailableError when nothing is certain: never an empty answer."""

    @abstractmethod
    def record(
        self, entries: Sequence[OutboxEntry], unreadable: Sequence[UnreadableEntry], received_at: datetime
    ) -> None:
        """Store entries, all or an error; safe to repeat in other batches. Unreadable ones are kept too.

        Raises WarehouseError when the warehouse refuses what it was given, not the moment.
        """

    @abstractmethod
    def refuse(self, unreadable: Sequence[UnreadableEntry], received_at: datetime) -> None:
        """Put entries into the dead letter, with their text and the reason; a repeat is the same row."""

    @abstractmethod
    def accounts_of(self, exec_ids: Collection[str]) -> Mapping[str, str]:
        """Return the accounts of those executions whose fills are stored."""

    @abstractmethod
    def combinations_of(self, exec_ids: Collection[str]) -> Collection[str]:
        """Return those that are executions of a combination as such, whose legs are the fills."""

    @abstractmethod
    def settleable(self, since: datetime, most: int) -> Sequence[WaitingCommission]:
        """Return commission reports drained since then that have no fee yet and whose fill is stored now."""

    @abstractmethod
    def unsettled(self, since: datetime, most: int) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """Return the commission reports drained since then that have no fee yet, by execution id."""

    @abstractmethod
    def waiting(self, since: datetime) -> int:
        """Count the commission reports drained since then that have no fee yet."""

    @abstractmethod
    def gaps(self) -> Sequence[OutboxGap]:
        """Return the faults in the outbox's numbers, GAPS_MAX at most; there should be none."""

    @abstractmethod
    def coverage_holes(
        self,
        venue: Venue,
        accounts: Sequence[str],
        start: datetime,
        end: datetime,
        sources: Sequence[Source] = COVERING_SOURCES,
    ) -> Sequence[CoverageHole]:
        """Return what no such source told completely in [start, end), by account and time."""

    @abstractmethod
    def orders(
        self, accounts: Sequence[str] = (), *, working_only: bool = False, since: datetime = EVER
    ) -> Sequence[OrderState]:
        """Return orders as they were last told, newest first; of all accounts where none is named.

        Only words since `since` are looked at, and the cost is theirs. A session tells every open order when
        it connects, so a week holds every working order.
        """

    @abstractmethod
    def positions(self, accounts: Sequence[str] = ()) -> Sequence[HeldPosition]:
        """Return the positions of the newest complete answer of each account."""

    @abstractmethod
    def account_values(self, accounts: Sequence[str] = ()) -> Sequence[AccountFigure]:
        """Return the figures of each account as they were last told."""

    @abstractmethod
    def clock(self) -> ClockReading | None:
        """Return the newest complete reading of the broker's clock; None where there is none."""
