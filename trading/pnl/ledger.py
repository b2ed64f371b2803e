"""Lots under work within one session: what a fill closes, what it opens, and the matches that come of it.

Matching nets per instrument, as the broker does; strategies are carried along from the opening. FIFO takes
the oldest lot, LIFO the newest, average cost one pool per instrument (its partial closings take their share
by the rule of `Parcel`: cut toward zero at nine places, the last closing takes the remainder).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from hashlib import sha256

from trading.model.fills import Fill
from trading.model.money import ZERO, canonical
from trading.pnl.book import (
    MIXED,
    UNATTRIBUTED,
    Direction,
    HeldContract,
    Lot,
    LotMatch,
    MatchKind,
    Origin,
    held_contract,
    instrument_id_of,
)
from trading.pnl.parcels import Parcel, worth
from trading.settings import LotMethod

CLOSES_ONLY = "C"  # the broker's mark of a fill that opened nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A fill on its way through the lots: how it counts, and the premium that a delivery brings along."""

    fill: Fill
    contract: HeldContract
    kind: MatchKind
    parcel: Parcel

    @property
    def delivers_away(self) -> bool:
        """An exercise or assignment hands its money on instead of realizing it."""
        return self.kind in (MatchKind.EXERCISE, MatchKind.ASSIGNMENT)


class Ledger:
    """Open lots per instrument; apply fills to it in book order."""

    def __init__(self, lots: Iterable[Lot], method: LotMethod, session: date) -> None:
        self._lots: dict[str, list[Lot]] = {}
        self._method = method
        self._session = session
        self.matches: list[LotMatch] = []
        for lot in lots:
            self._lots.setdefault(lot.contract.instrument_id, []).append(lot)

    def lots(self) -> tuple[Lot, ...]:
        """All open lots, by instrument, in the order of opening."""
        return tuple(lot for key in sorted(self._lots) for lot in self._lots[key])

    def position(self, instrument_id: str) -> Decimal:
        """Signed quantity held of an instrument."""
        return sum((lot.signed_quantity for lot in self._lots.get(instrument_id, ())), ZERO)

    def add(self, lot: Lot) -> None:
        """Take a lot in as it is (an opening lot told by a file)."""
        self._lots.setdefault(lot.contract.instrument_id, []).append(lot)

    def replace_lots(self, instrument_id: str, lots: Iterable[Lot]) -> None:
        """Put other lots in the place of an instrument's (a corporate action)."""
        kept = list(lots)
        if kept:
            self._lots[instrument_id] = kept
        else:
            self._lots.pop(instrument_id, None)

    def instrument_lots(self, instrument_id: str) -> tuple[Lot, ...]:
        """The open lots of one instrument."""
        return tuple(self._lots.get(instrument_id, ()))

    def apply(self, fill: Fill, kind: MatchKind, premium: Decimal = ZERO) -> Decimal:
        """Close what the fill closes and open the rest; return the premium that it hands on (zero but for
        exercises).
        """
        if fill.revision.quantity == 0:
            return ZERO
        contract = held_contract(fill)
        closing = Closing(fill=fill, contract=contract, kind=kind, parcel=parcel_of(fill, contract, premium))
        used, moved = self._close(closing)
        if used < closing.parcel.quantity:
            self._open(closing, used)
        return moved

    def _close(self, closing: Closing) -> tuple[Decimal, Decimal]:
        direction = _direction_of(closing.fill).opposite
        lots = self._lots.get(closing.contract.instrument_id, [])
        candidates = [
            lot for lot in lots if lot.direction is direction and lot.origin is not Origin.MISSING_HISTORY
        ]
        if self._method is LotMethod.LIFO:
            candidates.reverse()
        used = moved = ZERO
        for lot in candidates:
            taken = min(lot.open_quantity, closing.parcel.quantity - used)
            match = _match(lot, closing, used, taken, self._session)
            self.matches.append(match)
            moved += match.premium_moved if closing.delivers_away else ZERO
            self._take(lot, taken)
            used += taken
            if used == closing.parcel.quantity:
                break
        return used, moved

    def _take(self, lot: Lot, quantity: Decimal) -> None:
        lots = self._lots[lot.contract.instrument_id]
        index = next(index for index, other in enumerate(lots) if other is lot)
        if quantity == lot.open_quantity:
            del lots[index]
        else:
            lots[index] = lot.less(quantity)
        if not lots:
            del self._lots[lot.contract.instrument_id]

    def _open(self, closing: Closing, used: Decimal) -> None:
        lots = self._lots.setdefault(closing.contract.instrument_id, [])
        lot = _opened(closing, used, self._session)
        pool = next((other for other in lots if _pools_with(other, lot)), None)
        if self._method is LotMethod.AVERAGE and pool is not None:
            lots[lots.index(pool)] = _pooled(pool, lot)
        else:
            lots.append(lot)


def opened_lot(fill: Fill, kind: MatchKind, used: Decimal, session: date) -> Lot:
    """The lot that a fill opens with what is left of it after closing `used`."""
    contract = held_contract(fill)
    closing = Closing(fill=fill, contract=contract, kind=kind, parcel=parcel_of(fill, contract, ZERO))
    return _opened(closing, used, session)


def attributed(fill: Fill) -> str:
    """The fill's strategy as shown."""
    return fill.revision.strategy or UNATTRIBUTED


def parcel_of(fill: Fill, contract: HeldContract, premium: Decimal) -> Parcel:
    revision = fill.revision
    value = worth(revision.quantity, revision.price, contract.multiplier, inverse=contract.inverse)
    fee = fill.fees.get(contract.currency, ZERO)
    return Parcel(quantity=revision.quantity, value=value, fee=fee, premium=premium)


def _direction_of(fill: Fill) -> Direction:
    return Direction.LONG if fill.revision.side.sign > 0 else Direction.SHORT


def _match(lot: Lot, closing: Closing, used: Decimal, taken: Decimal, session: date) -> LotMatch:
    opened = lot.parcel.part(lot.closed, lot.closed + taken)
    closed = closing.parcel.part(used, used + taken)
    gross = (closed.value - opened.value) * lot.direction.sign - opened.premium - closed.premium
    open_fee, close_fee, premium = opened.fee, closed.fee, opened.premium + closed.premium
    if closing.delivers_away:
        premium, gross, open_fee, close_fee = open_fee + close_fee - gross, ZERO, ZERO, ZERO
    revision = closing.fill.revision
    return LotMatch(
        match_id=match_id_of(lot.lot_id, closing.fill.revision.fill_id, lot.closed),
        session=session,
        contract=lot.contract,
        strategy=lot.strategy,
        direction=lot.direction,
        kind=closing.kind,
        open_fill_id=lot.open_fill_id,
        close_fill_id=revision.fill_id,
        open_ts=lot.open_ts,
        close_ts=revision.fill_ts,
        open_session=lot.open_session,
        quantity=taken,
        open_price=lot.open_price,
        close_price=revision.price,
        open_fee=open_fee,
        close_fee=close_fee,
        gross_realized=gross,
        realized=gross - open_fee - close_fee,
        premium_moved=premium,
    )


def match_id_of(lot_id: str, close_fill_id: str, lot_closed: Decimal) -> str:
    """20 hex digits over the lot, the closing fill and where in the lot the part begins."""
    parts = (lot_id, close_fill_id, canonical(lot_closed))
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _opened(closing: Closing, used: Decimal, session: date) -> Lot:
    revision = closing.fill.revision
    # The broker says that this fill opened nothing, yet no lot is left: its opening is older than our files.
    missing = revision.open_close == CLOSES_ONLY
    return Lot(
        lot_id=revision.fill_id,
        contract=closing.contract,
        strategy=attributed(closing.fill),
        direction=_direction_of(closing.fill),
        parcel=closing.parcel.part(used, closing.parcel.quantity),
        open_price=revision.price,
        open_fill_id=revision.fill_id,
        open_ts=revision.fill_ts,
        open_session=session,
        origin=Origin.MISSING_HISTORY if missing else Origin.FILL,
    )


def _pools_with(pool: Lot, lot: Lot) -> bool:
    return pool.direction is lot.direction and Origin.MISSING_HISTORY not in (pool.origin, lot.origin)


def _pooled(pool: Lot, lot: Lot) -> Lot:
    parcel = pool.left.plus(lot.parcel)
    per_unit = parcel.value / (parcel.quantity * pool.contract.multiplier)
    price = -1 / per_unit if pool.contract.inverse else per_unit
    return replace(
        pool,
        parcel=parcel,
        closed=ZERO,
        open_price=price.quantize(Decimal(1).scaleb(-12)),  # shown only: what counts is the parcel
        strategy=pool.strategy if pool.strategy == lot.strategy else MIXED,
    )


def traded_quantities(fills: Iterable[Fill]) -> Mapping[tuple[str, str], tuple[Decimal, Decimal]]:
    """Bought and sold quantity by (instrument, strategy)."""
    totals: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for fill in fills:
        key = (instrument_id_of(fill), attributed(fill))
        bought, sold = totals.get(key, (ZERO, ZERO))
        if fill.revision.side.sign > 0:
            totals[key] = (bought + fill.revision.quantity, sold)
        else:
            totals[key] = (bought, sold + fill.revision.quantity)
    return totals
