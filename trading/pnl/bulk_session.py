"""A large session over columns: the trades of instruments that have nothing but trades, matched in one pass.

Bookings, premiums, other methods and whatever else needs a rule stay with the ledger. What comes out is what
the ledger would have made, lot by lot and match by match.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from trading.model.fills import Fill, FillKind
from trading.model.instruments import CurrencyPair
from trading.model.money import MONEY_PLACES, ZERO
from trading.pnl.book import (
    Direction,
    HeldContract,
    Lot,
    LotMatch,
    MatchKind,
    Origin,
    held_contract,
    instrument_id_of,
)
from trading.pnl.bulk import FifoColumns, FifoParts, match_columns
from trading.pnl.ledger import CLOSES_ONLY, Ledger, attributed, match_id_of, opened_lot, parcel_of
from trading.pnl.parcels import Parcel

INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row of the columns: an open lot of the book, or a fill."""

    contract: HeldContract
    direction: Direction
    parcel: Parcel
    lot: Lot | None = None
    fill: Fill | None = None
    closed: Decimal = ZERO
    closes_only: bool = False


def match_plain_instruments(
    ledger: Ledger, ordered: Sequence[Fill], session: date
) -> Mapping[str, list[LotMatch]]:
    """Match what can be matched over columns; put the lots that are left into the ledger.

    Returns the matches by closing fill id, an empty list for a fill that only opened; fills that are not in
    it are the ledger's.
    """
    groups = _plain_groups(ledger, ordered)
    rows = [row for key in sorted(groups) for row in _rows(ledger.instrument_lots(key), groups[key])]
    if not rows:
        return {}
    scale = _scale(rows)
    parts = match_columns(_columns(rows, scale))
    matches = _matches(rows, parts, scale, session)
    _keep_lots(ledger, rows, parts, scale, session)
    return matches


def _plain_groups(ledger: Ledger, ordered: Iterable[Fill]) -> dict[str, list[Fill]]:
    groups: dict[str, list[Fill]] = {}
    refused: set[str] = set()
    for fill in ordered:
        key = instrument_id_of(fill)
        if fill.revision.kind is not FillKind.TRADE or isinstance(fill.revision.instrument, CurrencyPair):
            refused.add(key)
        elif fill.revision.quantity:
            groups.setdefault(key, []).append(fill)
    return {
        key: fills
        for key, fills in groups.items()
        if key not in refused and not any(lot.parcel.premium for lot in ledger.instrument_lots(key))
    }


def _rows(lots: Iterable[Lot], fills: Iterable[Fill]) -> Iterable[_Row]:
    for lot in lots:
        if lot.origin is not Origin.MISSING_HISTORY:
            yield _Row(
                contract=lot.contract, direction=lot.direction, parcel=lot.parcel, lot=lot, closed=lot.closed
            )
    for fill in fills:
        contract = held_contract(fill)
        yield _Row(
            contract=contract,
            direction=Direction.LONG if fill.revision.side.sign > 0 else Direction.SHORT,
            parcel=parcel_of(fill, contract, ZERO),
            fill=fill,
            closes_only=fill.revision.open_close == CLOSES_ONLY,
        )


def _scale(rows: Iterable[_Row]) -> int:
    """Decimal places that hold every quantity."""
    return max(
        0, *(-_exponent(row.parcel.quantity) for row in rows), *(-_exponent(row.closed) for row in rows)
    )


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return exponent


def _columns(rows: Sequence[_Row], scale: int) -> FifoColumns:
    numbers = {
        key: place for place, key in enumerate(dict.fromkeys(row.contract.instrument_id for row in rows))
    }
    return FifoColumns(
        instrument=_column([numbers[row.contract.instrument_id] for row in rows]),
        sign=_column([row.direction.sign for row in rows]),
        quantity=_column([int(row.parcel.quantity.scaleb(scale)) for row in rows]),
        value=_column([int(row.parcel.value.scaleb(MONEY_PLACES)) for row in rows]),
        fee=_column([int(row.parcel.fee.scaleb(MONEY_PLACES)) for row in rows]),
        closed=_column([int(row.closed.scaleb(scale)) for row in rows]),
        closes_only=_column([int(row.closes_only) for row in rows]),
    )


def _column(numbers: list[int]) -> Any:
    """64-bit integers where they fit; a list of Python integers sends the whole batch to the plain loop."""
    return np.array(numbers, dtype=np.int64) if max(map(abs, numbers)) <= INT64_MAX else numbers


def _matches(rows: Sequence[_Row], parts: FifoParts, scale: int, session: date) -> dict[str, list[LotMatch]]:
    matches: dict[str, list[LotMatch]] = {
        row.fill.revision.fill_id: [] for row in rows if row.fill is not None
    }
    columns = [
        _numbers(getattr(parts, name))
        for name in ("open_row", "close_row", "quantity", "open_from", "gross", "open_fee", "close_fee")
    ]
    for open_row, close_row, quantity, open_from, gross, open_fee, close_fee in zip(*columns, strict=True):
        closing = rows[close_row].fill
        assert closing is not None
        match = _match(
            rows[open_row], closing, _scaled(quantity, scale), _scaled(open_from, scale), _money(gross),
            _money(open_fee), _money(close_fee), session,
        )  # fmt: skip
        matches[closing.revision.fill_id].append(match)
    return matches


def _match(
    opening: _Row, closing: Fill, quantity: Decimal, open_from: Decimal, gross: Decimal, open_fee: Decimal,
    close_fee: Decimal, session: date,
) -> LotMatch:  # fmt: skip
    lot, fill = opening.lot, opening.fill
    revision = closing.revision
    if lot is not None:
        lot_id, strategy, open_fill_id = lot.lot_id, lot.strategy, lot.open_fill_id
        open_ts, open_session, open_price = lot.open_ts, lot.open_session, lot.open_price
    else:
        assert fill is not None
        lot_id = open_fill_id = fill.revision.fill_id
        strategy, open_price = attributed(fill), fill.revision.price
        open_ts, open_session = fill.revision.fill_ts, session
    return LotMatch(
        match_id=match_id_of(lot_id, revision.fill_id, open_from),
        session=session,
        contract=opening.contract,
        strategy=strategy,
        direction=opening.direction,
        kind=MatchKind.TRADE,
        open_fill_id=open_fill_id,
        close_fill_id=revision.fill_id,
        open_ts=open_ts,
        close_ts=revision.fill_ts,
        open_session=open_session,
        quantity=quantity,
        open_price=open_price,
        close_price=revision.price,
        open_fee=open_fee,
        close_fee=close_fee,
        gross_realized=gross,
        realized=gross - open_fee - close_fee,
    )


def _keep_lots(ledger: Ledger, rows: Sequence[_Row], parts: FifoParts, scale: int, session: date) -> None:
    used = _used_by_row(parts, len(rows))
    closed = _numbers(parts.closed)
    kept: dict[str, list[Lot]] = {}
    changed = {
        row.lot.lot_id: _scaled(closed[place], scale) for place, row in enumerate(rows) if row.lot is not None
    }
    for key in {row.contract.instrument_id for row in rows}:
        lots = [
            replace(lot, closed=changed.get(lot.lot_id, lot.closed)) for lot in ledger.instrument_lots(key)
        ]
        kept[key] = [lot for lot in lots if lot.open_quantity]
    for place, row in enumerate(rows):
        if row.fill is not None and _scaled(used[place], scale) < row.parcel.quantity:
            lot = opened_lot(row.fill, MatchKind.TRADE, _scaled(used[place], scale), session)
            lot = replace(lot, closed=_scaled(closed[place], scale))
            if lot.open_quantity:
                kept[row.contract.instrument_id].append(lot)
    for key, lots in kept.items():
        ledger.replace_lots(key, lots)


def _used_by_row(parts: FifoParts, rows: int) -> list[int]:
    used = [0] * rows
    for close_row, quantity in zip(_numbers(parts.close_row), _numbers(parts.quantity), strict=True):
        used[close_row] += quantity
    return used


def _numbers(column: Any) -> list[int]:
    return list(column.tolist()) if isinstance(column, np.ndarray) else list(column)


def _scaled(number: int, scale: int) -> Decimal:
    return Decimal(number).scaleb(-scale)


def _money(number: int) -> Decimal:
    return Decimal(number).scaleb(-MONEY_PLACES)
