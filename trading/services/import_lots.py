"""Import opening lots: what an account held before the first fill that we know.

Without them a closing of something bought earlier has no basis and stays a break `missing_history`. They
come from the LOT rows of an Activity statement, never from fills, and they are no fills.

What goes wrong: a statement that ends within the time of known fills tells lots that those fills opened,
and they would count twice; lots as of two days would, too. Both are refused, with the days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trading.calendar import CALENDAR_END
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.statements import BrokerStatement, DetailLevel, StatementPosition
from trading.ports.fill_store import FillStore
from trading.ports.statement_store import OpeningLot, StatementStore

EARLIEST_SESSION = date(1990, 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotsReport:
    """What one statement brought; `left_out` names positions that no usable lot tells."""

    account: str
    as_of: date
    lots: int
    new: int
    left_out: tuple[str, ...]


def lots_from_statement(statement: BrokerStatement) -> tuple[OpeningLot, ...]:
    """The LOT rows of a statement as opening lots; a row without time or basis is none."""
    return tuple(
        OpeningLot(
            venue=statement.venue,
            account=row.account,
            as_of=row.report_date,
            instrument=row.instrument,
            conid=row.conid,
            quantity=row.quantity,
            multiplier=row.multiplier,
            currency=row.currency,
            cost_basis=row.cost_basis,
            open_ts=row.open_ts,
            origin=statement.batch.origin,
        )
        for row in statement.positions
        if _is_lot(row) and row.open_ts is not None and row.cost_basis is not None
    )


def import_lots(
    statements: Sequence[BrokerStatement], store: StatementStore, fills: FillStore
) -> tuple[LotsReport, ...]:
    """Store the opening lots of every statement of a file; the same file twice stores them once.

    Raises InvalidFieldError where a statement has no lots, ends after a known fill, or other lots are
    there.
    """
    checked = [(statement, _checked(statement, store, fills)) for statement in statements]
    return tuple(
        LotsReport(
            account=statement.account,
            as_of=statement.to_date,
            lots=len(lots),
            new=store.add_opening_lots(lots),
            left_out=_left_out(statement, lots),
        )
        for statement, lots in checked
    )


def _checked(statement: BrokerStatement, store: StatementStore, fills: FillStore) -> tuple[OpeningLot, ...]:
    lots = lots_from_statement(statement)
    if not lots:
        expected = "a statement with positions by LOT, each with openDateTime and costBasisMoney"
        raise InvalidFieldError("OpenPositions", expected, f"{len(statement.positions)} other rows")
    as_of = max(lot.as_of for lot in lots)
    known = fills.sessions_with_fills(statement.venue, statement.account, EARLIEST_SESSION, CALENDAR_END)
    if known and as_of >= known[0]:
        raise InvalidFieldError("toDate", f"a day before the first known fill ({known[0]})", str(as_of))
    _check_same_day(statement.venue, statement.account, as_of, store)
    return lots


def _check_same_day(venue: Venue, account: str, as_of: date, store: StatementStore) -> None:
    others = {lot.as_of for lot in store.opening_lots(venue, account)} - {as_of}
    if others:
        expected = f"{min(others)}, the day of the account's opening lots"
        raise InvalidFieldError("toDate", expected, str(as_of))


def _is_lot(row: StatementPosition) -> bool:
    return row.level is DetailLevel.LOT and row.quantity != 0


def _left_out(statement: BrokerStatement, lots: Sequence[OpeningLot]) -> tuple[str, ...]:
    """Contracts whose lots do not sum to what the statement says is held."""
    held = {
        row.instrument.instrument_id: row.quantity
        for row in statement.positions
        if row.level is DetailLevel.SUMMARY and row.quantity != 0
    }
    for lot in lots:
        if lot.instrument.instrument_id in held:
            held[lot.instrument.instrument_id] -= lot.quantity
    return tuple(sorted(name for name, quantity in held.items() if quantity))
