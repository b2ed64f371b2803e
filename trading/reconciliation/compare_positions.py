"""Positions at the statement's end: quantity, cost basis and mark per contract.

LOT rows and their SUMMARY say the same: the summary counts where there is one. A position that differs by
exactly what an extra or missing fill of the same check explains is not told a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.model.money import ZERO
from trading.model.statements import DetailLevel, StatementPosition
from trading.pnl.book import Book, Lot, Origin
from trading.reconciliation.breaks import Break, BreakKind, Unit
from trading.reconciliation.records import BrokerRecord, OurRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """One contract at the end of the day on one side."""

    quantity: Decimal
    basis: Decimal | None
    mark: Decimal | None
    multiplier: Decimal
    currency: str
    conid: int | None
    symbol: str
    underlying: str


def compare_positions(
    ours: OurRecord, theirs: BrokerRecord, bar: Decimal, fill_breaks: Sequence[Break]
) -> list[Break]:
    """Return the breaks of positions, cost bases and marks."""
    held = _held(ours.book)
    told = _told(theirs.positions or ())
    follows = _explained_by_fills(fill_breaks)
    found: list[Break] = []
    for instrument_id in sorted(held.keys() | told.keys()):
        mine, broker = held.get(instrument_id), told.get(instrument_id)
        difference = (mine.quantity if mine else ZERO) - (broker.quantity if broker else ZERO)
        if difference != 0 and difference != follows.get(instrument_id, ZERO):
            found.append(_position_break(instrument_id, mine, broker, theirs))
        elif difference == 0 and mine is not None and broker is not None:
            found.extend(_value_breaks(instrument_id, mine, broker, ours, theirs, bar))
    return found


def foreign_lots(instrument_id: str, theirs: BrokerRecord, ours: OurRecord) -> tuple[StatementPosition, ...]:
    """The broker's open lots of a contract that were opened before the first session that we know."""
    if ours.first_session is None:
        return ()
    return tuple(
        row
        for row in theirs.positions or ()
        if row.instrument.instrument_id == instrument_id
        and row.level is DetailLevel.LOT
        and row.open_ts is not None
        and row.open_ts.date() < ours.first_session
    )


def unknown_lots(
    instrument_id: str, theirs: BrokerRecord, known_ids: set[str]
) -> tuple[StatementPosition, ...]:
    """The broker's open lots of a contract whose opening trade is in no file of ours."""
    return tuple(
        row
        for row in theirs.positions or ()
        if row.instrument.instrument_id == instrument_id
        and row.level is DetailLevel.LOT
        and row.originating_transaction_id
        and row.originating_transaction_id not in known_ids
    )


def _held(book: Book) -> dict[str, _End]:
    groups: dict[str, list[Lot]] = {}
    for lot in book.lots:
        groups.setdefault(lot.contract.instrument_id, []).append(lot)
    return {key: _end_of(lots) for key, lots in groups.items()}


def _end_of(lots: Sequence[Lot]) -> _End:
    contract = lots[0].contract
    known = all(lot.origin is not Origin.MISSING_HISTORY for lot in lots)
    return _End(
        quantity=sum((lot.signed_quantity for lot in lots), ZERO),
        basis=sum((lot.basis for lot in lots), ZERO) if known else None,
        mark=None,
        multiplier=contract.multiplier,
        currency=contract.currency,
        conid=contract.conid,
        symbol=contract.symbol,
        underlying=contract.underlying,
    )


def _told(rows: Iterable[StatementPosition]) -> dict[str, _End]:
    groups: dict[str, list[StatementPosition]] = {}
    for row in rows:
        groups.setdefault(row.instrument.instrument_id, []).append(row)
    return {key: _told_end(group) for key, group in groups.items()}


def _told_end(group: Sequence[StatementPosition]) -> _End:
    summaries = [row for row in group if row.level is DetailLevel.SUMMARY]
    rows = summaries or [row for row in group if row.level is DetailLevel.LOT] or group
    bases = [row.cost_basis for row in rows]
    first = rows[0]
    return _End(
        quantity=sum((row.quantity for row in rows), ZERO),
        basis=None if None in bases else sum((basis for basis in bases if basis is not None), ZERO),
        mark=first.mark_price,
        multiplier=first.multiplier,
        currency=first.currency,
        conid=first.conid,
        symbol=first.instrument.symbol,
        underlying=first.instrument.underlying,
    )


def _explained_by_fills(fill_breaks: Iterable[Break]) -> Mapping[str, Decimal]:
    effects: dict[str, Decimal] = {}
    for item in fill_breaks:
        if item.kind is BreakKind.EXTRA_FILL or (item.kind is BreakKind.MISSING_FILL and not item.cause):
            effects[item.instrument_id] = effects.get(item.instrument_id, ZERO) + item.difference
    return effects


def _position_break(
    instrument_id: str, mine: _End | None, broker: _End | None, theirs: BrokerRecord
) -> Break:
    ours, told = (mine.quantity if mine else ZERO), (broker.quantity if broker else ZERO)
    mark = broker.mark if broker else None
    multiplier = (broker or mine).multiplier  # type: ignore[union-attr]
    money = None if mark is None else abs(ours - told) * mark * multiplier
    return _end_break(
        instrument_id, broker or mine, theirs, BreakKind.POSITION, Unit.QUANTITY, ours, told, money
    )


def _value_breaks(
    instrument_id: str, mine: _End, broker: _End, ours: OurRecord, theirs: BrokerRecord, bar: Decimal
) -> Iterable[Break]:
    if mine.multiplier != broker.multiplier:
        money = abs(mine.multiplier - broker.multiplier) * abs(broker.quantity) * (broker.mark or ZERO)
        yield _end_break(
            instrument_id,
            broker,
            theirs,
            BreakKind.MULTIPLIER,
            Unit.QUANTITY,
            mine.multiplier,
            broker.multiplier,
            money if broker.mark is not None else None,
        )
    elif mine.basis is not None and broker.basis is not None and abs(mine.basis - broker.basis) >= bar:
        yield _end_break(
            instrument_id, broker, theirs, BreakKind.COST_BASIS, Unit.MONEY, mine.basis, broker.basis, None
        )
    our_mark = ours.marks.get(instrument_id)
    if our_mark is not None and broker.mark is not None:
        money = abs(our_mark - broker.mark) * abs(broker.quantity) * broker.multiplier
        if money >= bar:
            yield _end_break(
                instrument_id, broker, theirs, BreakKind.MARK, Unit.PRICE, our_mark, broker.mark, money
            )


def _end_break(
    instrument_id: str,
    end: _End | None,
    theirs: BrokerRecord,
    kind: BreakKind,
    unit: Unit,
    ours: Decimal,
    told: Decimal,
    money: Decimal | None,
) -> Break:
    assert end is not None
    return Break(
        venue=theirs.venue,
        account=theirs.account,
        session=theirs.session,
        kind=kind,
        instrument_id=instrument_id,
        conid=end.conid,
        symbol=end.symbol,
        underlying=end.underlying,
        currency=end.currency,
        unit=unit,
        ours=ours,
        theirs=told,
        difference=ours - told,
        difference_base=money,
    )
