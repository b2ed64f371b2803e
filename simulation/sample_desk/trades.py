"""The truth: what was traded, every version in which it was told, what moved cash without a trade.

Fees are positive when paid and negative when the exchange paid us. Times are the exchange's, aware UTC.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from simulation.sample_desk.contracts import Contract


class TradeKind(StrEnum):
    """How a trade came about; all but the first two are bookings of the broker."""

    EXECUTION = "execution"
    CONVERSION = "conversion"
    EXPIRATION = "expiration"
    EXERCISE = "exercise"
    ASSIGNMENT = "assignment"
    CASH_EXERCISE = "cash exercise"
    CASH_ASSIGNMENT = "cash assignment"
    DELIVERY_EXERCISE = "delivery by exercise"
    DELIVERY_ASSIGNMENT = "delivery by assignment"

    @property
    def is_booking(self) -> bool:
        """True for what no exchange ever saw."""
        return self not in (TradeKind.EXECUTION, TradeKind.CONVERSION)

    @property
    def moves_premium(self) -> bool:
        """True for the option leg of a delivery: it realizes nothing, its premium goes into the shares."""
        return self in (TradeKind.EXERCISE, TradeKind.ASSIGNMENT)


BOOKING_NOTES = {
    TradeKind.EXPIRATION: "Ep",
    TradeKind.EXERCISE: "Ex",
    TradeKind.ASSIGNMENT: "A",
    TradeKind.CASH_EXERCISE: "Ex",
    TradeKind.CASH_ASSIGNMENT: "A",
    TradeKind.DELIVERY_EXERCISE: "Ex",
    TradeKind.DELIVERY_ASSIGNMENT: "A",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the desk asked for; `group` numbers the legs of one combination, 0 for a single order."""

    order_id: int
    perm_id: int
    client_id: int
    reference: str
    placed_at: datetime
    quantity: Decimal
    group: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One version of a trade as it was printed; a later print replaces quantity and price, its fee adds."""

    said_at: datetime
    quantity: Decimal
    price: Decimal
    fee: Decimal
    exec_id: str = ""
    transaction_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """The row that takes a print back; its fee is what it gives back (negative) or 0."""

    said_at: datetime
    fee: Decimal
    transaction_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One trade with its whole story: prints in order, cancels in order (print, cancel, print, ...)."""

    account: str
    session: date
    contract: Contract
    kind: TradeKind
    side: int
    executed_at: datetime
    order: Order
    exchange: str
    liquidity: int
    prints: tuple[Print, ...]
    cancels: tuple[Cancel, ...] = ()
    fee_currency: str = "USD"
    trade_id: int = 0
    action_id: int = 0

    @property
    def busted(self) -> bool:
        """True when the last word on it was a cancel."""
        return len(self.cancels) == len(self.prints)

    @property
    def corrected(self) -> bool:
        """True when a later print replaced the first."""
        return len(self.prints) > 1

    @property
    def last(self) -> Print:
        """The print that stands (or the one that was busted)."""
        return self.prints[-1]

    @property
    def quantity(self) -> Decimal:
        """What stands in the end, unsigned; 0 for a bust."""
        return Decimal(0) if self.busted else self.last.quantity

    @property
    def signed_quantity(self) -> Decimal:
        """Quantity with its direction."""
        return self.quantity * self.side

    @property
    def fee(self) -> Decimal:
        """Fees of all prints and cancels: they add, they do not replace one another."""
        told = [row.fee for row in self.prints] + [row.fee for row in self.cancels]
        return sum(told, Decimal(0))

    @property
    def fill_id(self) -> str:
        """The house's identity: the execution id without its revision, else the statement's row."""
        first = self.prints[0]
        return first.exec_id.rpartition(".")[0] if first.exec_id else f"flex:{first.transaction_id}"

    @property
    def place(self) -> tuple[datetime, int]:
        """Place in the first-in first-out order: first print's time and row; a correction keeps it."""
        return (self.executed_at, self.prints[0].transaction_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashEvent:
    """Money that moved without a trade; `kind` is the statement's type, amount positive when received."""

    account: str
    session: date
    currency: str
    amount: Decimal
    kind: str
    description: str
    transaction_id: int
    contract: Contract | None = None
    action_id: int = 0
