"""The comparison of one session: fill by fill, contract by contract, then positions, marks and cash.

What goes wrong without the order: one lost fill shows as a wrong quantity, commission, realized figure and
position, and four alarms hide the one thing that happened. A difference is told where it arises; what only
follows from it is not told again (`Roots`). Sizes are in base currency, so that a lock can be graded.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.money import ZERO
from trading.pnl.book import HeldContract, Origin, held_contract, instrument_id_of
from trading.reconciliation.breaks import Break, BreakKind, Pass, Unit
from trading.reconciliation.causes import with_cause
from trading.reconciliation.compare_cash import compare_cash
from trading.reconciliation.compare_fills import compare_fills
from trading.reconciliation.compare_positions import compare_positions
from trading.reconciliation.records import PENNY_BAR, BrokerRecord, OurRecord

SHOWN_PLACES = Decimal(1).scaleb(-12)  # an average price may have more


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a check found, and how much it looked at."""

    breaks: tuple[Break, ...]
    fills_matched: int
    contracts_compared: int


@dataclass(slots=True)
class _ContractDay:
    contract: HeldContract
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    commission: Decimal = ZERO
    realized: Decimal | None = None
    amount: Decimal = ZERO  # sum of quantity x price, for the average
    fill_ids: list[str] = field(default_factory=list)


def compare(ours: OurRecord, theirs: BrokerRecord, bar: Decimal = PENNY_BAR) -> Comparison:
    """Compare one session; breaks come with their cause where a rule knows it.

    Realized is compared over the fills for which the broker tells a figure (some queries leave it out).
    """
    fill_breaks, matched = compare_fills(ours, theirs, bar)
    rooted = {item.instrument_id for item in fill_breaks if item.kind is not BreakKind.MISSING_FILL}
    # In the evening the broker is still behind us: then only what it has told is compared.
    compared = ours.fills if theirs.made_in is Pass.FINAL else matched
    days = _compare_days(compared, ours, theirs, bar, rooted)
    ends = compare_positions(ours, theirs, bar, fill_breaks) if theirs.positions is not None else []
    cash = compare_cash(ours, theirs, bar) if theirs.cash is not None else []
    uncovered = _uncovered(ours, theirs)
    found = [*fill_breaks, *(with_cause(item, ours, theirs) for item in (*days, *ends, *uncovered)), *cash]
    contracts = {instrument_id_of(fill) for fill in (*ours.fills, *theirs.fills)}
    return Comparison(
        breaks=_sized(found, theirs), fills_matched=len(matched), contracts_compared=len(contracts)
    )


def _uncovered(ours: OurRecord, theirs: BrokerRecord) -> list[Break]:
    """Closings of this session whose opening is in no file: one break each, in contracts."""
    return [
        replace(
            _break(
                theirs,
                lot.contract,
                BreakKind.MISSING_HISTORY,
                Unit.QUANTITY,
                lot.signed_quantity,
                ZERO,
                [lot.open_fill_id],
            ),
            item_key=lot.open_fill_id,
            theirs=None,
        )
        for lot in ours.result.lots
        if lot.origin is Origin.MISSING_HISTORY and lot.open_session == theirs.session
    ]


def _compare_days(
    our_fills: Iterable[Fill], ours: OurRecord, theirs: BrokerRecord, bar: Decimal, rooted: set[str]
) -> list[Break]:
    our_days, their_days = _days(our_fills), _days(theirs.fills)
    figures = {
        fill.revision.fill_id: fill.revision.broker_realized
        for fill in theirs.fills
        if fill.revision.broker_realized is not None
    }
    for fill in theirs.fills:
        figure = figures.get(fill.revision.fill_id)
        _add_realized(their_days, instrument_id_of(fill), figure)
        if figure is not None:
            _add_realized(our_days, instrument_id_of(fill), ZERO)
    for match in ours.result.matches:
        if match.close_fill_id in figures:
            _add_realized(our_days, match.contract.instrument_id, match.realized)
    found: list[Break] = []
    for instrument_id in sorted(our_days.keys() & their_days.keys() - rooted):
        found.extend(_day_breaks(our_days[instrument_id], their_days[instrument_id], theirs, bar))
    return found


def _add_realized(days: Mapping[str, _ContractDay], instrument_id: str, amount: Decimal | None) -> None:
    day = days.get(instrument_id)
    if day is not None and amount is not None:
        day.realized = (day.realized or ZERO) + amount


def _days(fills: Iterable[Fill]) -> dict[str, _ContractDay]:
    days: dict[str, _ContractDay] = {}
    for fill in fills:
        revision = fill.revision
        key = revision.instrument.instrument_id
        day = days.get(key)
        if day is None:
            day = days[key] = _ContractDay(contract=held_contract(fill))
        if revision.side.sign > 0:
            day.bought += revision.quantity
        else:
            day.sold += revision.quantity
        day.amount += revision.quantity * revision.price
        day.commission += sum(fill.fees.values(), ZERO)
        day.fill_ids.append(revision.fill_id)
    return days


def _day_breaks(
    ours: _ContractDay, theirs: _ContractDay, record: BrokerRecord, bar: Decimal
) -> Iterable[Break]:
    contract = ours.contract
    money = [(BreakKind.COMMISSION, ours.commission, theirs.commission)]
    if theirs.realized is not None and contract.asset_class != "currency":
        money.append((BreakKind.REALIZED, ours.realized or ZERO, theirs.realized))
    for kind, our_figure, their_figure in money:
        if abs(our_figure - their_figure) >= bar:
            yield _break(record, contract, kind, Unit.MONEY, our_figure, their_figure, ours.fill_ids)
    our_net, their_net = ours.bought - ours.sold, theirs.bought - theirs.sold
    if our_net != their_net:
        yield _break(record, contract, BreakKind.QUANTITY, Unit.QUANTITY, our_net, their_net, ours.fill_ids)
    elif abs(ours.amount - theirs.amount) * contract.multiplier >= bar and ours.bought + ours.sold:
        traded = ours.bought + ours.sold
        yield _break(
            record,
            contract,
            BreakKind.PRICE,
            Unit.PRICE,
            ours.amount / traded,
            theirs.amount / traded,
            ours.fill_ids,
        )


def _break(
    record: BrokerRecord,
    contract: HeldContract,
    kind: BreakKind,
    unit: Unit,
    ours: Decimal,
    theirs: Decimal,
    fill_ids: Sequence[str],
) -> Break:
    return Break(
        venue=record.venue,
        account=record.account,
        session=record.session,
        kind=kind,
        instrument_id=contract.instrument_id,
        conid=contract.conid,
        symbol=contract.symbol,
        underlying=contract.underlying,
        currency=contract.currency,
        unit=unit,
        ours=ours,
        theirs=theirs,
        difference=ours - theirs,
        evidence=tuple(sorted(fill_ids)),
    )


def _sized(found: Iterable[Break], theirs: BrokerRecord) -> tuple[Break, ...]:
    """Bring money differences to base currency; what already has a size keeps it, what has no rate stays
    unknown.
    """
    return tuple(_with_size(item, theirs.rates_to_base) for item in found)


def _with_size(item: Break, rates: Mapping[str, Decimal]) -> Break:
    item = replace(
        item,
        ours=_fitted(item.ours),
        theirs=_fitted(item.theirs),
        difference=item.difference.quantize(SHOWN_PLACES),
    )
    money = item.difference_base if item.unit is not Unit.MONEY else abs(item.difference)
    rate = rates.get(item.currency)
    if money is None or rate is None:
        return replace(item, difference_base=None)
    return replace(item, difference_base=(abs(money) * rate).quantize(Decimal(1).scaleb(-9)))


def _fitted(figure: Decimal | None) -> Decimal | None:
    """To the places of the warehouse, so that the same figure found again is the same figure."""
    return None if figure is None else figure.quantize(SHOWN_PLACES)
