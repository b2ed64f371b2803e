"""Our positions from fills against the broker's positions, while the day goes on.

What can lose money here: an alarm that is none (a fill that is on its way looks like a difference), a
difference that nobody sees (a failed question looks like a flat account), and a booking of the broker
(expiry, assignment) that looks like a loss. So an answer counts for a contract only if it is complete and was
asked a quiet period after that contract's last change; two such answers in a row must say the same; and what
the broker's rules explain is a guess that the statement confirms, not an alarm. What is not decided is left
as it stands. Keep out: where both sides come from, what becomes of a break.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from trading.calendar import trading_session
from trading.errors import InvalidFieldError
from trading.model.broker import BrokerPosition
from trading.model.fills import Venue
from trading.model.money import ZERO
from trading.model.options import Option
from trading.reconciliation.breaks import Break, BreakKind, Unit

ANSWERS_MAX = 4  # the newest complete ones; two trusted ones among them decide
ANSWERS_NEEDED = 2
OPTION_ID = "OPT:"
CONVERSION_ID = "FX:"

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class OurPosition:
    """What our fills make of one contract; a contract that was closed since the base stands here with zero.

    `missing` is the part that stands for closings without a known opening. `changed_at` is when we were last
    told something that changed the quantity, by this machine's clock; None for what only the base knows.
    """

    instrument_id: str
    conid: int | None
    symbol: str
    underlying: str
    currency: str
    multiplier: Decimal
    quantity: Decimal
    missing: Decimal = ZERO
    mark: Decimal | None = None
    rate_to_base: Decimal | None = None
    changed_at: datetime | None = None

    @property
    def key(self) -> str:
        """What ties it to the broker's row: the conid where we know it."""
        return key_of(self.conid, self.instrument_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OurHoldings:
    """One account by our books and the fills since; `base_session` None means that it has no books yet."""

    venue: Venue
    account: str
    base_session: date | None
    positions: Sequence[OurPosition]


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionsAnswer:
    """One complete answer about one account: what is not in `positions` is flat.

    asked_at is this machine's clock; broker_at is the broker's, which a simulated broker may have in another
    year.
    """

    account: str
    asked_at: datetime
    broker_at: datetime
    positions: Sequence[BrokerPosition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A contract on which two trusted answers in a row differ from our fills by the same quantity.

    `seen_at` is when the broker gave them, by its own clock.
    """

    key: str
    ours: OurPosition | None
    theirs: BrokerPosition | None
    seen_at: tuple[datetime, ...] = ()

    @property
    def our_quantity(self) -> Decimal:
        """Ours; zero where we do not know the contract."""
        return self.ours.quantity if self.ours else ZERO

    @property
    def their_quantity(self) -> Decimal:
        """The broker's; zero where it is not in a complete answer."""
        return self.theirs.quantity if self.theirs else ZERO

    @property
    def quantity(self) -> Decimal:
        """Ours less the broker's."""
        return self.our_quantity - self.their_quantity

    @property
    def instrument_id(self) -> str:
        """Ours, else the broker's."""
        return self.ours.instrument_id if self.ours else _row(self.theirs).instrument_id

    @property
    def option(self) -> Option | None:
        """The contract, if it is an option whose id can be read."""
        return option_of(self.instrument_id)

    @property
    def underlying(self) -> str:
        """What the contract is on."""
        if self.ours:
            return self.ours.underlying
        option = self.option
        return option.underlying if option else _row(self.theirs).symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePositions:
    """What a look found: contracts that differ, and those of which nothing may be concluded yet, by key.

    Without `is_conclusive` there are too few answers to conclude anything about any contract.
    """

    differences: Sequence[Difference]
    undecided: frozenset[str]
    compared: int
    broker_at: datetime | None
    is_conclusive: bool

    def decides(self, conid: int | None, instrument_id: str) -> bool:
        """Whether this look may say that a difference in a contract is gone."""
        names = {key_of(conid, instrument_id), instrument_id}
        return self.is_conclusive and not names & self.undecided


def compare_live(
    ours: OurHoldings, answers: Sequence[PositionsAnswer], quiet_period: timedelta
) -> LivePositions:
    """Compare with the newest complete answers, oldest first; with none of them nothing is decided."""
    later = [answer for answer in answers if _is_later(answer, ours.base_session)]
    newest = sorted(later, key=lambda answer: answer.asked_at)[-ANSWERS_MAX:]
    held = _held(ours.positions)
    told = [_told(answer) for answer in newest]
    keys = sorted(held.keys() | {key for rows in told for key in rows})
    differences: list[Difference] = []
    undecided: set[str] = set()
    for key in keys:
        mine = held.get(key)
        trusted = [
            (answer.broker_at, rows.get(key))
            for answer, rows in zip(newest, told, strict=True)
            if _is_trusted(answer, mine, quiet_period)
        ][-ANSWERS_NEEDED:]
        quantities = {row.quantity if row else ZERO for _, row in trusted}
        if len(trusted) < ANSWERS_NEEDED or len(quantities) > 1:
            undecided.add(key)
        elif quantities != {mine.quantity if mine else ZERO}:
            seen_at = tuple(at for at, _ in trusted)
            differences.append(Difference(key=key, ours=mine, theirs=trusted[-1][1], seen_at=seen_at))
    return LivePositions(
        differences=tuple(differences),
        undecided=frozenset(undecided),
        compared=len(keys) - len(undecided),
        broker_at=newest[-1].broker_at if newest else None,
        is_conclusive=len(newest) >= ANSWERS_NEEDED,
    )


def live_break(found: Difference, ours: OurHoldings, session: date) -> Break:
    """Name and size a difference; without a mark or a rate its size is unknown.

    Its evidence is the broker's time of the two answers.
    """
    mine, theirs = found.ours, found.theirs
    return Break(
        venue=ours.venue,
        account=ours.account,
        session=session,
        kind=BreakKind.LIVE_POSITION,
        instrument_id=found.instrument_id,
        conid=theirs.conid if theirs else _row(mine).conid,
        symbol=mine.symbol if mine else _row(theirs).symbol,
        underlying=found.underlying,
        currency=mine.currency if mine else "",
        unit=Unit.QUANTITY,
        ours=found.our_quantity,
        theirs=found.their_quantity,
        difference=found.quantity,
        difference_base=_size(found),
        evidence=tuple(at.isoformat() for at in found.seen_at),
    )


def continued(item: Break, standing: Sequence[Break]) -> Break:
    """The same difference keeps the identity under which it was first found, over midnight and over names."""
    for known in standing:
        same = known.conid == item.conid if item.conid is not None else False
        if same or known.instrument_id == item.instrument_id:
            return replace(
                item, session=known.session, instrument_id=known.instrument_id, currency=known.currency
            )
    return item


def session_of(broker_at: datetime) -> date:
    """The session a new difference belongs to, by the broker's clock."""
    return trading_session(broker_at)


def key_of(conid: int | None, instrument_id: str) -> str:
    """One name of a contract for both sides."""
    return str(conid) if conid else instrument_id


def option_of(instrument_id: str) -> Option | None:
    """Read an option's id; None for other contracts and for ids that are no OCC symbol."""
    if not instrument_id.startswith(OPTION_ID):
        return None
    try:
        return Option.from_occ(instrument_id.removeprefix(OPTION_ID))
    except InvalidFieldError:
        return None


def _held(positions: Sequence[OurPosition]) -> dict[str, OurPosition]:
    """By key; a contract that two names of ours stand for is one."""
    held: dict[str, OurPosition] = {}
    for row in positions:
        known = held.get(row.key)
        held[row.key] = row if known is None else _joined(known, row)
    return held


def _joined(one: OurPosition, other: OurPosition) -> OurPosition:
    changes = [row.changed_at for row in (one, other) if row.changed_at is not None]
    return replace(
        one,
        quantity=one.quantity + other.quantity,
        missing=one.missing + other.missing,
        mark=other.mark if one.mark is None else one.mark,
        rate_to_base=other.rate_to_base if one.rate_to_base is None else one.rate_to_base,
        changed_at=max(changes, default=None),
    )


def _told(answer: PositionsAnswer) -> Mapping[str, BrokerPosition]:
    rows: dict[str, BrokerPosition] = {}
    for row in answer.positions:
        if row.instrument_id.startswith(CONVERSION_ID):
            continue  # the broker shows conversions as positions too; with us they are cash
        key = key_of(row.conid, row.instrument_id)
        known = rows.get(key)
        rows[key] = row if known is None else replace(row, quantity=known.quantity + row.quantity)
    return rows


def _is_later(answer: PositionsAnswer, base_session: date | None) -> bool:
    """Whether an answer is of a later session than the books, which have the evening of theirs."""
    return base_session is None or session_of(answer.broker_at) > base_session


def _is_trusted(answer: PositionsAnswer, mine: OurPosition | None, quiet_period: timedelta) -> bool:
    changed = mine.changed_at if mine else None
    return changed is None or answer.asked_at >= changed + quiet_period


def _size(found: Difference) -> Decimal | None:
    mine = found.ours
    if mine is None or mine.mark is None or mine.rate_to_base is None:
        return None
    return abs(found.quantity) * abs(mine.mark) * mine.multiplier * mine.rate_to_base


def _row(row: Row | None) -> Row:
    assert row is not None  # a difference has at least one side
    return row
