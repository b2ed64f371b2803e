"""Why a difference is there, by rules on what both sides told: never by a symbol, an id or a date.

Each rule proves its cause from figures or says nothing; what no rule explains stays open.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from trading.model.fills import Fill
from trading.model.money import ZERO, canonical
from trading.pnl.book import LotMatch
from trading.pnl.parcels import worth
from trading.reconciliation.breaks import Break, BreakKind
from trading.reconciliation.compare_positions import foreign_lots, unknown_lots
from trading.reconciliation.match import twins
from trading.reconciliation.records import PENNY_BAR, BrokerRecord, OurRecord

MISSING_HISTORY = "missing_history"
ADJUSTED_COMMISSION = "adjusted_commission"
BOOKED_TWICE = "booked_twice"

Cause = tuple[str, str]  # name, note


def with_cause(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Break:
    """Return the break with the cause of the first rule that proves one; unchanged where none does."""
    for rule in _RULES.get(item.kind, ()):
        cause = rule(item, ours, theirs)
        if cause is not None:
            name, note = cause
            # A suspicion is named but stays open: booked twice is for a person to undo.
            return (
                replace(item, note=f"{name}: {note}")
                if name == BOOKED_TWICE
                else replace(item, cause=name, note=note)
            )
    return item


def _position_without_history(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    """We lack exactly the quantity whose closing we saw without an opening, or that the broker opened before
    our files.
    """
    missing = -sum((lot.signed_quantity for lot in ours.missing_lots(item.instrument_id)), ZERO)
    if missing and -item.difference == missing:
        return MISSING_HISTORY, f"{canonical(missing)} were closed whose opening is in no file"
    old = foreign_lots(item.instrument_id, theirs, ours)
    if old and -item.difference == missing + sum((row.quantity for row in old), ZERO):
        return MISSING_HISTORY, f"the broker opened {len(old)} lots of it before our first file"
    known = {fill.revision.transaction_id for fill in ours.known_fills}
    unknown = unknown_lots(item.instrument_id, theirs, known)
    if unknown and -item.difference == missing + sum((row.quantity for row in unknown), ZERO):
        return MISSING_HISTORY, f"the openings of {len(unknown)} of the broker's lots are in no file"
    return None


def _realized_without_history(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    """The broker's figure follows from its own cost, and some opening of the contract is in no file: the
    cost differs.
    """
    lots = ours.missing_lots(item.instrument_id)
    if not lots or not _follows_from_cost(_closings(item, theirs)):
        return None
    quantity = canonical(abs(sum((lot.signed_quantity for lot in lots), ZERO)))
    return (
        MISSING_HISTORY,
        f"{quantity} of the contract were closed whose opening is in no file, so the basis differs",
    )


def _basis_without_history(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    if ours.missing_lots(item.instrument_id):
        return MISSING_HISTORY, "some opening of the contract is in no file, so other lots are left"
    return None


def _commission_adjusted(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    """All openings are known and the broker's cost of them at the closing is not what it was at the opening.

    Proved by the broker's own two figures: its cost when the lots opened equals ours, and the gap to its cost
    at the closing is the difference, which is within the commissions of these lots.
    """
    closings = _closings(item, theirs)
    if ours.missing_lots(item.instrument_id) or not _follows_from_cost(closings):
        return None
    matches = [match for match in ours.result.matches if match.contract.instrument_id == item.instrument_id]
    fees = sum((abs(match.open_fee) for match in matches), ZERO)
    at_closing = sum((fill.revision.broker_cost or ZERO for fill in closings), ZERO)
    ours_at_closing = sum((_basis_taken(match.direction.sign, match) for match in matches), ZERO)
    gap = at_closing - ours_at_closing
    if abs(gap + item.difference) < PENNY_BAR and abs(gap) <= fees and _openings_agree(matches, ours):
        return (
            ADJUSTED_COMMISSION,
            f"the broker's cost of these lots changed by {canonical(gap)} after their opening",
        )
    return None


def _basis_adjusted(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    lots = [lot for lot in ours.book.lots if lot.contract.instrument_id == item.instrument_id]
    fees = sum((abs(lot.left.fee) for lot in lots), ZERO)
    by_id = {fill.revision.fill_id: fill for fill in ours.known_fills}
    openings = [by_id.get(lot.open_fill_id) for lot in lots]
    if all(fill is not None and _cost_agrees(fill) for fill in openings) and abs(item.difference) <= fees:
        return (
            ADJUSTED_COMMISSION,
            "the broker's cost of these lots changed after their opening, within their commission",
        )
    return None


def _booked_twice(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    """A fill of exactly the difference has a twin: the same order, side, quantity, price and time under
    another id.
    """
    fills = [
        fill for fill in ours.known_fills if fill.revision.instrument.instrument_id == item.instrument_id
    ]
    for fill in fills:
        if fill.revision.signed_quantity == item.difference and (same := twins(fill, fills)):
            return BOOKED_TWICE, f"{fill.revision.fill_id} says the same as {same[0].revision.fill_id}"
    return None


def _closings(item: Break, theirs: BrokerRecord) -> Sequence[Fill]:
    return [
        fill
        for fill in theirs.fills
        if fill.revision.instrument.instrument_id == item.instrument_id and "C" in fill.revision.open_close
    ]


def _follows_from_cost(closings: Sequence[Fill]) -> bool:
    """The broker's realized is its own proceeds less fee plus cost on every closing: the statement agrees
    with itself.
    """
    return bool(closings) and all(_own_sum_holds(fill) for fill in closings)


def _own_sum_holds(fill: Fill) -> bool:
    revision = fill.revision
    if revision.broker_cost is None or revision.broker_realized is None:
        return revision.broker_realized is not None and revision.broker_net_cash is None
    if {"A", "Ex"} & set(revision.notes):
        return True  # the premium of its option moved, which the row itself does not show
    value = worth(revision.quantity, revision.price, revision.multiplier, inverse=False) * revision.side.sign
    expected = revision.broker_cost - value - fill.fees.get(revision.currency, ZERO)
    return abs(expected - revision.broker_realized) < PENNY_BAR


def _basis_taken(sign: int, match: LotMatch) -> Decimal:
    """Our cost of a match in the broker's sign: minus what a long lot had cost, plus what a short lot had
    brought.
    """
    contract = match.contract
    proceeds = worth(match.quantity, match.close_price, contract.multiplier, inverse=contract.inverse) * sign
    return match.realized + match.close_fee - proceeds


def _openings_agree(matches: Sequence[LotMatch], ours: OurRecord) -> bool:
    by_id = {fill.revision.fill_id: fill for fill in ours.known_fills}
    openings = [by_id.get(match.open_fill_id) for match in matches]
    return bool(openings) and all(fill is not None and _cost_agrees(fill) for fill in openings)


def _cost_agrees(fill: Fill) -> bool:
    """At the opening the broker's cost was the value and the commission, as ours."""
    revision = fill.revision
    if revision.broker_cost is None:
        return False
    value = worth(revision.quantity, revision.price, revision.multiplier, inverse=False) * revision.side.sign
    return abs(value + fill.fees.get(revision.currency, ZERO) - revision.broker_cost) < PENNY_BAR


def _closed_without_history(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    return MISSING_HISTORY, "the broker calls it a closing, and its opening is in no file"


def _closing_booked_twice(item: Break, ours: OurRecord, theirs: BrokerRecord) -> Cause | None:
    """The closing that nothing was left for has a twin: more likely booked twice than of older history."""
    fills = {fill.revision.fill_id: fill for fill in (*ours.known_fills, *ours.fills)}
    same_contract = [
        fill for fill in fills.values() if fill.revision.instrument.instrument_id == item.instrument_id
    ]
    for lot in ours.missing_lots(item.instrument_id):
        closing = fills.get(lot.open_fill_id)
        whole = closing is not None and closing.revision.quantity == lot.open_quantity
        if closing is not None and whole and (same := twins(closing, same_contract)):
            return BOOKED_TWICE, f"{lot.open_fill_id} says the same as {same[0].revision.fill_id}"
    return None


Rule = Callable[[Break, OurRecord, BrokerRecord], Cause | None]
_RULES: dict[BreakKind, tuple[Rule, ...]] = {
    BreakKind.POSITION: (_booked_twice, _position_without_history),
    BreakKind.REALIZED: (_commission_adjusted, _closing_booked_twice, _realized_without_history),
    BreakKind.MISSING_HISTORY: (_closing_booked_twice, _closed_without_history),
    BreakKind.COST_BASIS: (_basis_without_history, _basis_adjusted),
}
