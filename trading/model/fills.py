"""Fills as venues tell them: every version of a fill, its fees, what was refused, and one batch of all that.

A *fill revision* is one version of one fill as one source told it. The warehouse keeps every revision; the
fill
itself is the revision that wins by `precedence`, never by order of arrival. A fee is a fact of its own,
keyed by the
full execution id, because it may come before its fill, after it, twice or never, and because in a
correction the fees
add up while the quantities replace one another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha1
from operator import attrgetter
from typing import Any

from trading.errors import InvalidFieldError
from trading.model.instruments import Instrument
from trading.model.money import ZERO, canonical
from trading.model.times import aware_utc


class Venue(StrEnum):
    """Where a fill happened."""

    IBKR = "ibkr"
    KALSHI = "kalshi"
    KRAKEN = "kraken"


class Source(StrEnum):
    """Who told us; `rank` says whom we believe when two tell the same revision differently."""

    LIVE = "live"
    SAME_DAY = "same_day"
    BACKFILL = "backfill"
    CONFIRMATION = "confirmation"
    STATEMENT = "statement"

    @property
    def rank(self) -> int:
        """1 (live stream) to 5 (statement)."""
        return _SOURCE_RANK[self]


_SOURCE_RANK: Mapping[Source, int] = {source: rank for rank, source in enumerate(Source, start=1)}


class Side(StrEnum):
    """Direction of a fill."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1


class FillKind(StrEnum):
    """What a row is: an execution, a booking of the broker (expiry, exercise, assignment), or a cancel of
    a trade.
    """

    TRADE = "trade"
    BOOKING = "booking"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class FillRevision:
    """One version of one fill as one source told it.

    quantity is positive (zero only in a bust); the sign is in `side`. price is per unit, in `currency`.
    `trade_id`, `transaction_id` and `cancels_trade_id` tie a cancel to what it cancels; `action_id` ties
    both legs of an
    exercise, assignment or delivery. `notes` are the broker's codes. The `broker_*` fields are the
    broker's own figures,
    kept to be compared with ours and never used as ours. `raw` is the row as it came, as canonical JSON.
    """

    venue: Venue
    account: str
    fill_id: str
    revision: int
    source: Source
    kind: FillKind
    instrument: Instrument
    conid: int | None
    side: Side
    quantity: Decimal
    price: Decimal
    multiplier: Decimal
    currency: str
    fill_ts: datetime
    trade_date: date
    report_date: date | None
    session: date
    exec_id: str = ""
    order_id: str = ""
    order_ref: str = ""
    perm_id: str = ""
    trade_id: str = ""
    transaction_id: str = ""
    cancels_trade_id: str = ""
    action_id: str = ""
    exchange: str = ""
    description: str = ""
    liquidity: str = ""
    open_close: str = ""
    notes: tuple[str, ...] = ()
    strategy: str | None = None
    signal_id: str | None = None
    provisional: bool = False
    broker_realized: Decimal | None = None
    broker_cost: Decimal | None = None
    broker_net_cash: Decimal | None = None
    fx_rate_to_base: Decimal | None = None
    raw: str = "{}"

    def __post_init__(self) -> None:
        """Check what no source may get wrong."""
        if not self.fill_id.strip():
            raise InvalidFieldError("fill_id", "a non-blank id", self.fill_id)
        if not self.account.strip():
            raise InvalidFieldError("account", "a non-blank account", self.account)
        if self.quantity < 0:
            raise InvalidFieldError("quantity", "a quantity of zero or more, the sign in side", self.quantity)
        if self.revision < 0:
            raise InvalidFieldError("revision", "zero or more", self.revision)
        aware_utc("fill_ts", self.fill_ts)

    @property
    def signed_quantity(self) -> Decimal:
        """Quantity with the side's sign."""
        return self.quantity * self.side.sign

    @property
    def content_hash(self) -> str:
        """20 hex digits over all that the source said; equal for a repeat, whatever file or day it came
        in.
        """
        return content_hashes((self,))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionFact:
    """One fee as one source told it; amount is positive for a cost and negative for a rebate, in `currency`.

    `commission_key` is the full execution id with its revision, else the Flex row (`flex:` +
    transactionID), with a
    suffix `#tax` for a tax that stands beside the commission. `fill_id` is the fill it belongs to; for a
    cancel row it is
    the cancel's own id, tied to its fill through `cancels_trade_id` of that row.
    """

    venue: Venue
    account: str
    commission_key: str
    fill_id: str
    source: Source
    amount: Decimal
    currency: str
    session: date | None = None
    raw: str = "{}"

    @property
    def content_hash(self) -> str:
        """20 hex digits over amount, currency and fill."""
        parts = (self.fill_id, canonical(self.amount), self.currency)
        told = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return sha1(told, usedforsecurity=False).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that could not be read, with the reason and the payload as it came: it goes to the dead
    letter.
    """

    venue: Venue
    source: Source
    reason: str
    payload: str
    field: str = ""
    account: str = ""
    is_trade_row: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageInterval:
    """What a source has told completely: from start (inclusive) to end (exclusive), UTC."""

    venue: Venue
    account: str
    source: Source
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FillBatch:
    """All that one file or answer said about fills; `origin` names it for people (a file name, an
    endpoint).
    """

    venue: Venue
    source: Source
    origin: str
    fills: tuple[FillRevision, ...] = ()
    commissions: tuple[CommissionFact, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    coverage: tuple[CoverageInterval, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def total_rows(self) -> int:
        """Every trade row that came, good or refused."""
        return len(self.fills) + sum(row.is_trade_row for row in self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """The fill as it stands: the winning revision with its fees summed and its bust applied (row of
    core.fills).

    `fees` maps currency to the signed sum over all of the fill's commission keys (cost positive). A busted
    fill has
    quantity zero. `fifo_ts` and `fifo_key` order it in FIFO: a corrected fill keeps the place of its first
    version.
    """

    revision: FillRevision
    fees: Mapping[str, Decimal]
    fifo_ts: datetime
    fifo_key: str
    busted: bool = False

    @property
    def fee(self) -> Decimal:
        """Sum of the fees in the fill's own currency; other currencies are in `fees`."""
        return self.fees.get(self.revision.currency, ZERO)


def precedence(revision: FillRevision) -> tuple[int, int, str]:
    """Order of belief among the versions of one fill: the maximum wins, whatever came first."""
    return (revision.revision, revision.source.rank, revision.content_hash)


def content_hashes(revisions: Sequence[FillRevision]) -> list[str]:
    """Return the content hashes of many revisions: the hot path, column by column, each distinct value
    printed once.
    """
    columns = (_texts(list(map(attrgetter(name), revisions))) for name in _HASHED)
    texts = ("\x1f".join(parts).encode("utf-8", "surrogatepass") for parts in zip(*columns, strict=True))
    return [sha1(text, usedforsecurity=False).hexdigest()[:20] for text in texts]


_HASHED: tuple[str, ...] = tuple(item.name for item in fields(FillRevision))


def _texts(values: list[Any]) -> list[str]:
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds == {datetime}:  # rarely equal: looking for distinct ones costs more than it saves
        return list(map(_as_text, values))
    texts = {value: _as_text(value) for value in set(values)}
    return list(map(texts.__getitem__, values))


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime):
        moment = value if value.tzinfo is UTC else value.astimezone(UTC)
        return moment.isoformat()  # one moment, one text, whatever zone it came in
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return "\x1e".join(map(str, value))
    return "" if value is None else str(getattr(value, "instrument_id", value))
