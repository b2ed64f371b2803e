"""Opening lots from the broker's own cost: the basis of what was opened before the first file.

A statement tells for each closing what the closed lots had cost. Where no file tells the opening, and no
older statement is at hand (`import_lots`), that cost supplies the basis. A person asks for it; nothing here
happens by itself, and each lot carries its mark (`broker_cost:` and the closing) for good: figures that rest
on it were taken over from the broker, not proved against it.

What goes wrong without the order: the missing lots are older than all that we know, so the first closings
took them. The cost of the first closings is handed out until the missing quantity is reached; the closing
that took old and known lots together gives the old ones what is left after the known ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext

from trading.calendar import CALENDAR_END
from trading.model.fills import Fill, Venue
from trading.model.money import EXACT, ZERO
from trading.pnl.book import Lot, Origin, held_contract
from trading.pnl.ledger import CLOSES_ONLY, parcel_of
from trading.pnl.opening import BROKER_COST
from trading.ports.fill_store import FillStore
from trading.ports.pnl_store import PnlStore
from trading.ports.statement_store import OpeningLot, StatementStore

EARLIEST = date(1990, 1, 2)
OPENS_ONLY = "O"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingStores:
    """Where closings, the book and opening lots are kept."""

    fills: FillStore
    statements: StatementStore
    pnl: PnlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisReport:
    """What the closings supplied; `left_out` says of each other contract why its basis stays unknown."""

    account: str
    lots: int
    new: int
    left_out: tuple[str, ...]


class _UnknownBasis(Exception):
    """The reason why a contract's basis does not follow from its closings."""


def lots_from_closings(stores: ClosingStores, venue: Venue, account: str) -> BasisReport:
    """Store the basis of every closing without a known opening; asked again it adds nothing.

    `compute_pnl` must have run before, and must run after, for the lots to count.
    """
    book = stores.pnl.book(venue, account, CALENDAR_END)
    missing: dict[str, list[Lot]] = {}
    for lot in book.lots if book else ():
        if lot.origin is Origin.MISSING_HISTORY:
            missing.setdefault(lot.contract.instrument_id, []).append(lot)
    sessions = stores.fills.sessions_with_fills(venue, account, EARLIEST, CALENDAR_END)
    fills = stores.fills.fills(venue, account, sessions) if missing else ()
    known = stores.statements.opening_lots(venue, account)
    as_of = min((lot.as_of for lot in known), default=min(sessions, default=EARLIEST) - timedelta(days=1))
    found: list[OpeningLot] = []
    left_out: list[str] = []
    for instrument_id, lots in sorted(missing.items()):
        own = [fill for fill in fills if fill.revision.instrument.instrument_id == instrument_id]
        try:
            _refuse_imported(instrument_id, known)
            found.extend(_lots_of(lots, own, as_of))
        except _UnknownBasis as reason:
            left_out.append(f"{instrument_id}: {reason}")
    new = stores.statements.add_opening_lots(found) if found else 0
    return BasisReport(account=account, lots=len(found), new=new, left_out=tuple(left_out))


def _refuse_imported(instrument_id: str, known: Iterable[OpeningLot]) -> None:
    if any(lot.instrument.instrument_id == instrument_id for lot in known):
        raise _UnknownBasis("it has opening lots already, and closings beyond them")


def _lots_of(missing: Sequence[Lot], fills: Sequence[Fill], as_of: date) -> list[OpeningLot]:
    if len({lot.direction for lot in missing}) != 1:
        raise _UnknownBasis("openings of both directions are missing")
    sign = -missing[0].direction.sign  # a missing lot is the closing's way round
    left = sum((lot.open_quantity for lot in missing), ZERO)
    ordered = sorted(fills, key=lambda fill: (fill.fifo_ts, fill.fifo_key))
    found: list[OpeningLot] = []
    for place, fill in enumerate(ordered):
        if left and _closes(fill, sign):
            taken = min(left, fill.revision.quantity)
            with localcontext(EXACT):
                known = _known_basis(ordered[:place], sign, fill.revision.quantity - taken)
                basis = -_cost(fill) - known
            if basis * sign <= 0:
                raise _UnknownBasis(f"the broker's cost at {fill.revision.fill_id} leaves {basis} for it")
            found.append(_opening_lot(fill, sign * taken, basis, as_of, len(found)))
            left -= taken
    return found


def _closes(fill: Fill, sign: int) -> bool:
    revision = fill.revision
    if revision.quantity == 0 or revision.side.sign == sign:
        return False
    if revision.open_close not in (CLOSES_ONLY, OPENS_ONLY):
        raise _UnknownBasis(f"{revision.fill_id} does not say whether it closes or opens")
    return revision.open_close == CLOSES_ONLY


def _cost(fill: Fill) -> Decimal:
    if fill.revision.broker_cost is None:
        raise _UnknownBasis(f"the broker tells no cost at {fill.revision.fill_id}")
    return fill.revision.broker_cost


def _known_basis(before: Sequence[Fill], sign: int, quantity: Decimal) -> Decimal:
    """What the first `quantity` of the known openings had cost, fees included."""
    basis = ZERO
    for fill in before:
        if quantity and fill.revision.side.sign == sign and fill.revision.open_close == OPENS_ONLY:
            parcel = parcel_of(fill, held_contract(fill), ZERO)
            part = parcel.part(ZERO, min(quantity, parcel.quantity))
            basis += part.value * sign + part.fee
            quantity -= part.quantity
    if quantity:
        raise _UnknownBasis(f"{quantity} more were closed than are known or missing")
    return basis


def _opening_lot(fill: Fill, quantity: Decimal, basis: Decimal, as_of: date, place: int) -> OpeningLot:
    revision = fill.revision
    # Nobody tells when it was opened: the seconds only keep the lots in the order of their closings.
    opened = datetime.combine(as_of, time(), UTC) + timedelta(seconds=place)
    return OpeningLot(
        venue=revision.venue,
        account=revision.account,
        as_of=as_of,
        instrument=revision.instrument,
        conid=revision.conid,
        quantity=quantity,
        multiplier=revision.multiplier,
        currency=revision.currency,
        cost_basis=basis,
        open_ts=opened,
        origin=f"{BROKER_COST}{revision.fill_id}",
    )
