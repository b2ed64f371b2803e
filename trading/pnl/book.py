"""The book of one account: open lots, cash, premiums on their way; and the rows that a session adds.

Values only. A `Book` is all that the next session needs of the past, so a new day costs that day's fills and
the open lots, never history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from trading.model.fills import Fill, Venue
from trading.model.instruments import Instrument, Perpetual
from trading.model.money import ZERO
from trading.pnl.parcels import Parcel

CONTRACTS_KEPT = 20_000  # spelled once and kept; a desk trades fewer
UNATTRIBUTED = "unattributed"
MIXED = "mixed"  # an average-cost pool that several strategies filled


class Direction(StrEnum):
    """Which way a lot stands."""

    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 for long, -1 for short."""
        return 1 if self is Direction.LONG else -1

    @property
    def opposite(self) -> "Direction":
        """The other one."""
        return Direction.SHORT if self is Direction.LONG else Direction.LONG


class Origin(StrEnum):
    """Where a lot comes from. A missing one is the other way round: a closing whose opening no file told.

    The basis of `broker_cost` was taken over from the broker's cost at the closing: not proved against it.
    """

    FILL = "fill"
    OPENING_LOT = "opening_lot"
    BROKER_COST = "broker_cost"
    MISSING_HISTORY = "missing_history"


class MatchKind(StrEnum):
    """What closed a lot."""

    TRADE = "trade"
    EXPIRY = "expiry"
    EXERCISE = "exercise"
    ASSIGNMENT = "assignment"
    CASH_SETTLEMENT = "cash_settlement"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldContract:
    """What the book has to know of an instrument; currency is the one in which its P&L arises."""

    instrument_id: str
    conid: int | None
    symbol: str
    underlying: str
    asset_class: str
    currency: str
    multiplier: Decimal
    inverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """One opening and how much of it is closed; `parcel` is as opened, so that parts always add up to it."""

    lot_id: str
    contract: HeldContract
    strategy: str
    direction: Direction
    parcel: Parcel
    closed: Decimal = ZERO
    open_price: Decimal
    open_fill_id: str
    open_ts: datetime
    open_session: date
    origin: Origin = Origin.FILL

    @property
    def left(self) -> Parcel:
        """What is still open."""
        return self.parcel.part(self.closed, self.parcel.quantity)

    @property
    def open_quantity(self) -> Decimal:
        """Quantity still open, positive."""
        return self.parcel.quantity - self.closed

    @property
    def signed_quantity(self) -> Decimal:
        """Quantity still open with the direction's sign."""
        return self.open_quantity * self.direction.sign

    @property
    def basis(self) -> Decimal:
        """Money paid for what is open, fees and moved premiums included; negative where it was received."""
        left = self.left
        return left.value * self.direction.sign + left.fee + left.premium

    def less(self, quantity: Decimal) -> "Lot":
        """The lot after closing so much of it."""
        return replace(self, closed=self.closed + quantity)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPremium:
    """Premium of an exercised or assigned option whose delivery has not been told yet."""

    fill_id: str
    action_id: str
    underlying: str
    strike: Decimal
    shares: Decimal  # signed: what the delivery must be
    premium: Decimal
    session: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One account after a session; lots in the order of their opening."""

    venue: Venue
    account: str
    session: date | None = None
    lots: tuple[Lot, ...] = ()
    cash: Mapping[str, Decimal] = field(default_factory=dict)
    pending: tuple[PendingPremium, ...] = ()

    def position(self, instrument_id: str) -> Decimal:
        """Signed quantity held of one instrument, what history is missing included."""
        return sum(
            (lot.signed_quantity for lot in self.lots if lot.contract.instrument_id == instrument_id), ZERO
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LotMatch:
    """One part of an opening closed by one fill.

    realized = gross_realized - open_fee - close_fee. An exercise or assignment that delivers realizes
    nothing: all it had cost, fees included, is in premium_moved and goes into the delivery, whose matches
    count it in gross_realized.
    """

    match_id: str
    session: date
    contract: HeldContract
    strategy: str
    direction: Direction
    kind: MatchKind
    open_fill_id: str
    close_fill_id: str
    open_ts: datetime
    close_ts: datetime
    open_session: date
    quantity: Decimal
    open_price: Decimal
    close_price: Decimal
    open_fee: Decimal
    close_fee: Decimal
    gross_realized: Decimal
    realized: Decimal
    premium_moved: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class CashEntry:
    """One movement of cash; positive was received. balance is the currency's balance after it."""

    entry_id: str
    currency: str
    kind: str
    amount: Decimal
    balance: Decimal
    instrument_id: str = ""
    fill_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyPnl:
    """One instrument and strategy on one session."""

    session: date
    contract: HeldContract
    strategy: str
    quantity_bought: Decimal
    quantity_sold: Decimal
    position_end: Decimal
    gross_realized: Decimal
    fees: Decimal
    realized: Decimal
    unrealized: Decimal | None
    mark_price: Decimal | None
    fx_rate_to_base: Decimal | None
    realized_base: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionResult:
    """All rows of one session; lots are those open at its end."""

    session: date
    lots: tuple[Lot, ...]
    matches: tuple[LotMatch, ...]
    daily: tuple[DailyPnl, ...]
    cash: tuple[CashEntry, ...]

    @property
    def realized(self) -> Mapping[str, Decimal]:
        """Net realized by currency."""
        totals: dict[str, Decimal] = {}
        for row in self.daily:
            totals[row.contract.currency] = totals.get(row.contract.currency, ZERO) + row.realized
        return totals


def held_contract(fill: Fill) -> HeldContract:
    """The contract of a fill as the book holds it."""
    revision = fill.revision
    return _held_contract(revision.instrument, revision.conid, revision.multiplier, revision.currency)


def instrument_id_of(fill: Fill) -> str:
    """The canonical id of the fill's instrument; as a property of the contract it is spelled anew every
    time.
    """
    return held_contract(fill).instrument_id


@lru_cache(maxsize=CONTRACTS_KEPT)
def _held_contract(
    instrument: Instrument, conid: int | None, multiplier: Decimal, currency: str
) -> HeldContract:
    return HeldContract(
        instrument_id=instrument.instrument_id,
        conid=conid,
        symbol=instrument.symbol,
        underlying=instrument.underlying,
        asset_class=instrument.asset_class,
        currency=_money_currency(instrument, currency),
        multiplier=multiplier,
        inverse=bool(getattr(instrument, "inverse", False)),
    )


def _money_currency(instrument: Instrument, currency: str) -> str:
    """Where P&L arises: in the coin for an inverse contract, else in the currency of the price."""
    if isinstance(instrument, Perpetual) or getattr(instrument, "inverse", False):
        return instrument.settlement_currency
    return currency


def fifo_order(fill: Fill) -> tuple[datetime, str]:
    """Place of a fill in FIFO: execution time of its first version, then the broker's running number."""
    return (fill.fifo_ts, fill.fifo_key)
