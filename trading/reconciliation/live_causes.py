"""Why a live difference is there, by rule: what the broker books without an execution, what is known already.

The interface shows an expiry or an assignment only as a position that is another one; the statement of the
night tells the booking. Until then the rule is a guess, and says so: its cause ends in `_pending`. Each rule
proves itself from both sides' figures and the contract's own dates; what none explains is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import combinations

from trading.calendar import INDEX_CLASSES, last_trade
from trading.model.money import ZERO, canonical
from trading.model.options import Option, Right
from trading.reconciliation.breaks import Break, BreakEvent, BreakKind
from trading.reconciliation.causes import MISSING_HISTORY
from trading.reconciliation.live_positions import Difference, LivePositions, OurHoldings

EXPIRY_PENDING = "expiry_pending"
DELIVERY_PENDING = "delivery_pending"  # of the shares
EXERCISE_PENDING = "exercise_pending"  # of a long option, before or at its expiry
ASSIGNMENT_PENDING = "assignment_pending"  # of a short one
RECONCILED_BREAK = "reconciliation_break"
LEGS_MAX = 10  # options of one underlying that went at once: 1,024 combinations; beyond it nothing is guessed
SHARE_ID = "STK:"
POSITION_KINDS = frozenset({BreakKind.POSITION, BreakKind.MISSING_FILL, BreakKind.EXTRA_FILL})

Cause = tuple[str, str]  # name, note


def causes_of(
    found: LivePositions, ours: OurHoldings, reconciled: Sequence[BreakEvent]
) -> Mapping[str, Cause]:
    """Return causes by the difference's key; `reconciled` are standing breaks of the statement's passes."""
    causes: dict[str, Cause] = {}
    for item in found.differences:
        cause = _known(item, reconciled) or _without_history(item, ours)
        if cause is None and found.broker_at is not None:
            cause = _expired(item, found.broker_at)
        if cause is not None:
            causes[item.key] = cause
    for group in _by_underlying(found.differences).values():
        for key, cause in _delivered(group, causes).items():
            causes[key] = cause
    return causes


def with_live_cause(item: Break, cause: Cause | None) -> Break:
    """The break with its cause, if there is one."""
    return item if cause is None else replace(item, cause=cause[0], note=cause[1])


def _known(item: Difference, reconciled: Sequence[BreakEvent]) -> Cause | None:
    """A statement's pass told the same difference, and its lock says what it refuses."""
    for event in reconciled:
        told = event.found
        same = told.instrument_id == item.instrument_id and told.difference == item.quantity
        if same and told.kind in POSITION_KINDS:
            return RECONCILED_BREAK, f"break {event.break_id} of {told.session} says the same"
    return None


def _without_history(item: Difference, ours: OurHoldings) -> Cause | None:
    """We hold the opposite of closings whose opening no file told; or have no books and never traded it."""
    if item.ours is not None and item.ours.missing and item.quantity == item.ours.missing:
        return (
            MISSING_HISTORY,
            f"{canonical(abs(item.ours.missing))} were closed whose opening is in no file",
        )
    if item.ours is None and ours.base_session is None:
        return MISSING_HISTORY, "the account has no books yet, and no fill of the contract was told"
    return None


def _expired(item: Difference, broker_at: datetime) -> Cause | None:
    """An option that we hold is gone at the broker after its last trade and settlement."""
    option = item.option
    if option is None or item.their_quantity or not item.our_quantity:
        return None
    last = last_trade(option)
    if broker_at < max(last.at, last.settles_at):
        return None
    quantity = canonical(item.our_quantity)
    return EXPIRY_PENDING, f"a guess: {quantity} expired on {option.expiry}; the statement confirms it"


def _by_underlying(differences: Sequence[Difference]) -> Mapping[str, Sequence[Difference]]:
    groups: dict[str, list[Difference]] = {}
    for item in differences:
        groups.setdefault(item.underlying, []).append(item)
    return groups


def _delivered(group: Sequence[Difference], causes: Mapping[str, Cause]) -> Mapping[str, Cause]:
    """Shares that came or went are tied to options of their underlying that went, if they are exactly theirs.

    Of expired options any may have delivered, for the rest expired worthless. Options that went before their
    expiry are only explained by shares: as many of them as the shares allow, and none where two choices do.
    """
    shares = [item for item in group if item.instrument_id.startswith(SHARE_ID)]
    if len(shares) != 1 or shares[0].key in causes:
        return {}
    came = -shares[0].quantity
    legs = [item for item in group if _delivery(item) is not None and _is_free(item, causes)]
    fitting = [
        chosen
        for chosen in _subsets(legs)
        if chosen and sum((_delivery(item) or ZERO for item in chosen), ZERO) == came
    ]
    early = [frozenset(item.key for item in chosen if item.key not in causes) for chosen in fitting]
    most = max(map(len, early), default=0)
    if len({keys for keys in early if len(keys) == most}) != 1:
        return {}
    return _tied(
        shares[0], next(chosen for chosen, keys in zip(fitting, early, strict=True) if len(keys) == most)
    )


def _is_free(item: Difference, causes: Mapping[str, Cause]) -> bool:
    """Not explained, or only by its expiry."""
    return causes.get(item.key, (EXPIRY_PENDING,))[0] == EXPIRY_PENDING


def _subsets(items: Sequence[Difference]) -> Sequence[tuple[Difference, ...]]:
    if len(items) > LEGS_MAX:
        return ()
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


def _tied(shares: Difference, legs: Sequence[Difference]) -> Mapping[str, Cause]:
    named = ", ".join(sorted(item.instrument_id for item in legs))
    came = canonical(-shares.quantity)
    tied = {shares.key: (DELIVERY_PENDING, f"a guess: {came} shares by {named}; the statement confirms it")}
    for item in legs:
        name = EXERCISE_PENDING if item.our_quantity > 0 else ASSIGNMENT_PENDING
        note = (
            f"a guess: {canonical(abs(item.quantity))} delivered as {came} shares; the statement confirms it"
        )
        tied[item.key] = (name, note)
    return tied


def _delivery(item: Difference) -> Decimal | None:
    """Shares that come (or go, negative) if what is gone was exercised or assigned; None if it cannot be."""
    option = item.option
    gone = item.quantity
    if option is None or item.ours is None or _is_cash_settled(option):
        return None
    if gone * item.our_quantity <= 0 or abs(gone) > abs(item.our_quantity):
        return None  # it grew, or changed sides: no booking does that
    return gone * item.ours.multiplier * (1 if option.right is Right.CALL else -1)


def _is_cash_settled(option: Option) -> bool:
    return option.trading_class in INDEX_CLASSES
