"""Fill by fill: what the broker has and we have not been told live, what we have and the broker has not, and
what both
tell differently.

The statement is already in the books when this runs (it wins), so a fill that live lost is back-filled; the
break says that it was lost. `difference_base` holds the money of a quantity difference here, in the
contract's own currency, until the caller brings it to base.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from trading.model.fills import Fill, FillKind
from trading.model.money import ZERO
from trading.pnl.book import held_contract
from trading.pnl.parcels import worth
from trading.reconciliation.breaks import Break, BreakKind, Pass, Unit
from trading.reconciliation.match import match_fills
from trading.reconciliation.records import BrokerRecord, OurRecord

BACKFILLED = "backfilled"


def compare_fills(ours: OurRecord, theirs: BrokerRecord, bar: Decimal) -> tuple[list[Break], Sequence[Fill]]:
    """Return the breaks of single fills, and those of our fills that the broker has too."""
    standing = match_fills(ours.fills, theirs.fills)
    found = [_extra(fill, theirs) for fill in standing.only_ours if _should_be_told(fill, theirs)]
    found.extend(_missing(fill, theirs, "") for fill in standing.only_theirs if fill.revision.quantity)
    for fill in theirs.fills:
        found.extend(_inconsistent(fill, theirs, bar))
    if ours.elsewhere is not None:
        told = match_fills(ours.elsewhere, theirs.fills)
        known = {item.item_key for item in found}
        lost = [fill for fill in told.only_theirs if _comes_live(fill) and fill.revision.fill_id not in known]
        found.extend(_missing(fill, theirs, BACKFILLED) for fill in lost)
        for live, told_fill in told.pairs:
            found.extend(_told_differently(live, told_fill, theirs, bar))
    return _once(found), [mine for mine, _ in standing.pairs]


def _should_be_told(fill: Fill, theirs: BrokerRecord) -> bool:
    """In the evening the broker may still be behind us; the final statement must know every fill."""
    return theirs.made_in is Pass.FINAL and fill.revision.quantity != 0


def _comes_live(fill: Fill) -> bool:
    return fill.revision.kind is FillKind.TRADE and fill.revision.quantity != 0


def _extra(fill: Fill, theirs: BrokerRecord) -> Break:
    return _of_fill(
        fill,
        theirs,
        BreakKind.EXTRA_FILL,
        Unit.QUANTITY,
        fill.revision.signed_quantity,
        None,
        _money(fill),
        note="the broker's statement does not know this fill",
    )


def _missing(fill: Fill, theirs: BrokerRecord, cause: str) -> Break:
    note = (
        "told by the statement only; it was back-filled from there"
        if cause
        else "in the statement, not in our books"
    )
    return _of_fill(
        fill,
        theirs,
        BreakKind.MISSING_FILL,
        Unit.QUANTITY,
        None,
        fill.revision.signed_quantity,
        _money(fill),
        cause=cause,
        note=note,
    )


def _told_differently(live: Fill, told: Fill, theirs: BrokerRecord, bar: Decimal) -> Iterable[Break]:
    """Differences between two sources of one revision; a higher revision is a correction, no difference."""
    ours, broker = live.revision, told.revision
    if ours.revision != broker.revision or live.busted != told.busted:
        return
    if ours.multiplier != broker.multiplier:
        money = abs(ours.multiplier - broker.multiplier) * broker.quantity * abs(broker.price)
        yield _of_fill(
            told,
            theirs,
            BreakKind.MULTIPLIER,
            Unit.QUANTITY,
            ours.multiplier,
            broker.multiplier,
            money,
            note="the sources name different multipliers",
        )
    if ours.signed_quantity != broker.signed_quantity:
        yield _of_fill(
            told,
            theirs,
            BreakKind.QUANTITY,
            Unit.QUANTITY,
            ours.signed_quantity,
            broker.signed_quantity,
            _money(told),
        )
    money = abs(ours.price - broker.price) * broker.quantity * broker.multiplier
    if money >= bar:
        yield _of_fill(told, theirs, BreakKind.PRICE, Unit.PRICE, ours.price, broker.price, money)
    if live.fees and told.fees:
        yield from _fee_breaks(told, theirs, live.fees, told.fees, bar)


def _inconsistent(fill: Fill, theirs: BrokerRecord, bar: Decimal) -> Iterable[Break]:
    """The statement's own money against its own quantity, price, multiplier and commission."""
    revision = fill.revision
    net = revision.broker_net_cash
    contract = held_contract(fill)
    if not net or contract.asset_class not in ("option", "equity") or not revision.quantity * revision.price:
        return
    fee = fill.fees.get(contract.currency, ZERO)
    value = worth(revision.quantity, revision.price, contract.multiplier, inverse=False) * revision.side.sign
    gap = net + value + fee
    if abs(gap) < bar or revision.revision > 1:  # a corrected fill sums the fees of several rows
        return
    implied = -(net + fee) / (revision.signed_quantity * revision.price)
    if abs(gap - 2 * fee) < bar:
        yield from _fee_breaks(fill, theirs, fill.fees, {contract.currency: -fee}, bar)
    elif implied > 0 and implied == implied.to_integral_value():
        yield _of_fill(
            fill,
            theirs,
            BreakKind.MULTIPLIER,
            Unit.QUANTITY,
            contract.multiplier,
            implied,
            abs(gap),
            note="quantity, price and the broker's net cash give another multiplier than the row names",
        )
    else:
        yield from _fee_breaks(fill, theirs, fill.fees, {contract.currency: fee - gap}, bar)


def _fee_breaks(
    fill: Fill, theirs: BrokerRecord, ours: Mapping[str, Decimal], broker: Mapping[str, Decimal], bar: Decimal
) -> Iterable[Break]:
    for currency in sorted(ours.keys() | broker.keys()):
        our_fee, their_fee = ours.get(currency, ZERO), broker.get(currency, ZERO)
        if abs(our_fee - their_fee) < bar:
            continue
        note = (
            "the same amount with the other sign: a rebate taken for a cost" if our_fee == -their_fee else ""
        )
        yield _of_fill(
            fill,
            theirs,
            BreakKind.COMMISSION,
            Unit.MONEY,
            our_fee,
            their_fee,
            None,
            note=note,
            currency=currency,
        )


def _of_fill(
    fill: Fill,
    theirs: BrokerRecord,
    kind: BreakKind,
    unit: Unit,
    ours: Decimal | None,
    broker: Decimal | None,
    money: Decimal | None,
    *,
    note: str = "",
    cause: str = "",
    currency: str = "",
) -> Break:
    contract = held_contract(fill)
    return Break(
        venue=theirs.venue,
        account=theirs.account,
        session=theirs.session,
        kind=kind,
        instrument_id=contract.instrument_id,
        conid=contract.conid,
        symbol=contract.symbol,
        underlying=contract.underlying,
        currency=currency or contract.currency,
        item_key=fill.revision.fill_id,
        unit=unit,
        ours=ours,
        theirs=broker,
        difference=(ours or ZERO) - (broker or ZERO),
        difference_base=money,
        note=note,
        cause=cause,
        evidence=(fill.revision.fill_id,),
    )


def _money(fill: Fill) -> Decimal:
    contract = held_contract(fill)
    if fill.revision.price == 0:
        return ZERO
    return abs(
        worth(fill.revision.quantity, fill.revision.price, contract.multiplier, inverse=contract.inverse)
    )


def _once(found: Iterable[Break]) -> list[Break]:
    return list({item.break_id: item for item in found}.values())
