"""Daily rows: one per instrument and strategy that was traded, closed or is held at the end of a session.

Fees are those of the session's fills; realized is the broker's figure: what the closings made, net of the
fees of both sides. Unrealized needs the session's mark; without one it is unknown, not zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.instruments import CurrencyPair
from trading.model.money import EXACT, ZERO
from trading.pnl.book import DailyPnl, HeldContract, Lot, LotMatch, Origin, held_contract
from trading.pnl.ledger import attributed, traded_quantities
from trading.pnl.parcels import MONEY_UNIT, worth

RowKey = tuple[str, str]  # instrument id, strategy


@dataclass(slots=True)
class _Sums:
    contract: HeldContract
    fees: Decimal = ZERO
    gross: Decimal = ZERO
    realized: Decimal = ZERO
    position: Decimal = ZERO
    basis: Decimal = ZERO
    has_unknown_basis: bool = False


def daily_rows(
    session: date,
    fills: Iterable[Fill],
    matches: Iterable[LotMatch],
    lots: Iterable[Lot],
    marks: Mapping[str, Decimal],
    rates: Mapping[str, Decimal],
) -> tuple[DailyPnl, ...]:
    """Build the rows of one session, ordered by instrument and strategy."""
    positions = [fill for fill in fills if not isinstance(fill.revision.instrument, CurrencyPair)]
    sums = _summed(positions, matches, lots)
    traded = traded_quantities(positions)
    return tuple(
        _row(session, key, sums[key], traded.get(key, (ZERO, ZERO)), marks.get(key[0]), rates)
        for key in sorted(sums)
    )


def _summed(fills: Iterable[Fill], matches: Iterable[LotMatch], lots: Iterable[Lot]) -> dict[RowKey, _Sums]:
    sums: dict[RowKey, _Sums] = {}
    for fill in fills:
        contract = held_contract(fill)
        _at(sums, contract, attributed(fill)).fees += fill.fees.get(contract.currency, ZERO)
    for match in matches:
        row = _at(sums, match.contract, match.strategy)
        row.gross += match.gross_realized
        row.realized += match.realized
    for lot in lots:
        row = _at(sums, lot.contract, lot.strategy)
        row.position += lot.signed_quantity
        row.basis += lot.basis
        row.has_unknown_basis |= lot.origin is Origin.MISSING_HISTORY
    return sums


def _at(sums: dict[RowKey, _Sums], contract: HeldContract, strategy: str) -> _Sums:
    return sums.setdefault((contract.instrument_id, strategy), _Sums(contract))


def _row(
    session: date,
    key: RowKey,
    sums: _Sums,
    traded: tuple[Decimal, Decimal],
    mark: Decimal | None,
    rates: Mapping[str, Decimal],
) -> DailyPnl:
    rate = rates.get(sums.contract.currency)
    return DailyPnl(
        session=session,
        contract=sums.contract,
        strategy=key[1],
        quantity_bought=traded[0],
        quantity_sold=traded[1],
        position_end=sums.position,
        gross_realized=sums.gross,
        fees=sums.fees,
        realized=sums.realized,
        unrealized=_unrealized(sums, mark),
        mark_price=mark,
        fx_rate_to_base=rate,
        realized_base=None
        if rate is None
        else EXACT.multiply(sums.realized, rate).quantize(MONEY_UNIT, context=EXACT),
    )


def _unrealized(sums: _Sums, mark: Decimal | None) -> Decimal | None:
    if sums.position == 0 and not sums.has_unknown_basis:
        return ZERO
    if mark is None or sums.has_unknown_basis:
        return None
    contract = sums.contract
    value = worth(abs(sums.position), mark, contract.multiplier, inverse=contract.inverse)
    return value * (1 if sums.position > 0 else -1) - sums.basis
