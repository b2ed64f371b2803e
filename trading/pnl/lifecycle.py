"""How options end: what a booking means, and which delivery belongs to which exercise or assignment.

The statement books an exercise as two rows that know nothing of each other's money: the option leg at price 0
and the share leg at the strike. The broker's rule moves what the option had cost (or brought) into the
shares. Legs are tied by the broker's action id where it is given; else by what must be equal: booking notes,
day, underlying, strike, quantity.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from trading.model.fills import Fill, FillKind
from trading.model.instruments import Equity, Event, Option, Right
from trading.pnl.book import MatchKind, PendingPremium, fifo_order

EXPIRED = "Ep"
EXERCISED = "Ex"
ASSIGNED = "A"
DELIVERY_LAG_DAYS_MAX = 7  # a delivery told later than that is a trade of its own, and a break says so


def kind_of(fill: Fill, delivers: bool) -> MatchKind:
    """What this fill does to the lots it closes; `delivers` says that shares stand against an option leg."""
    revision = fill.revision
    if revision.kind is not FillKind.BOOKING:
        return MatchKind.TRADE
    if isinstance(revision.instrument, Equity):
        return MatchKind.DELIVERY if _ends_option(fill) else MatchKind.TRADE
    if isinstance(revision.instrument, Event):
        return MatchKind.CASH_SETTLEMENT
    if EXPIRED in revision.notes:
        return MatchKind.EXPIRY
    if delivers and EXERCISED in revision.notes:
        return MatchKind.EXERCISE
    if delivers and ASSIGNED in revision.notes:
        return MatchKind.ASSIGNMENT
    return MatchKind.CASH_SETTLEMENT if _ends_option(fill) else MatchKind.TRADE


def is_option_leg(fill: Fill) -> bool:
    """Whether the fill books the exercise or assignment of an option, delivered or settled in cash."""
    return (
        fill.revision.kind is FillKind.BOOKING
        and isinstance(fill.revision.instrument, Option)
        and _ends_option(fill)
    )


def is_delivery_leg(fill: Fill) -> bool:
    """Whether the fill books shares delivered by an exercise or assignment."""
    revision = fill.revision
    return (
        revision.kind is FillKind.BOOKING and isinstance(revision.instrument, Equity) and _ends_option(fill)
    )


def expected_shares(option_leg: Fill) -> Decimal:
    """Signed shares that the option leg must deliver: a call's holder buys, its writer sells; a put the other
    way.
    """
    option = option_leg.revision.instrument
    assert isinstance(option, Option)
    held_sign = -option_leg.revision.side.sign  # the booking takes the position back
    right_sign = 1 if option.right is Right.CALL else -1
    return option_leg.revision.quantity * option_leg.revision.multiplier * held_sign * right_sign


def tie_deliveries(fills: Sequence[Fill]) -> Mapping[str, str]:
    """Map the fill id of each delivery leg to that of its option leg, within one session."""
    open_legs = sorted((fill for fill in fills if is_option_leg(fill)), key=fifo_order)
    ties: dict[str, str] = {}
    for delivery in sorted((fill for fill in fills if is_delivery_leg(fill)), key=fifo_order):
        leg = next((leg for leg in open_legs if _belongs(delivery, leg)), None)
        if leg is not None:
            ties[delivery.revision.fill_id] = leg.revision.fill_id
            open_legs.remove(leg)
    return ties


def find_pending(delivery: Fill, pending: Iterable[PendingPremium]) -> PendingPremium | None:
    """The premium of an earlier session that this delivery was waited for with."""
    revision = delivery.revision
    for premium in pending:
        late_days = (revision.session - premium.session).days
        same_action = bool(premium.action_id) and premium.action_id == revision.action_id
        same_terms = (
            premium.underlying == revision.instrument.underlying
            and premium.strike == revision.price
            and not (premium.action_id and revision.action_id)
        )
        fits = late_days <= DELIVERY_LAG_DAYS_MAX and premium.shares == revision.signed_quantity
        if fits and (same_action or same_terms):
            return premium
    return None


def in_book_order(fills: Iterable[Fill], ties: Mapping[str, str]) -> list[Fill]:
    """FIFO order, but an option leg comes before the delivery that takes its premium."""
    ordered = sorted(fills, key=fifo_order)
    places = {fill.revision.fill_id: place for place, fill in enumerate(ordered)}

    def place(fill: Fill) -> tuple[int, int]:
        own = places[fill.revision.fill_id]
        leg = ties.get(fill.revision.fill_id)
        return (own, 0) if leg is None or places[leg] < own else (places[leg], 1)

    return sorted(ordered, key=place)


def _belongs(delivery: Fill, leg: Fill) -> bool:
    ours, theirs = delivery.revision, leg.revision
    if ours.signed_quantity != expected_shares(leg):
        return False
    if ours.action_id and theirs.action_id:
        return ours.action_id == theirs.action_id
    option = theirs.instrument
    assert isinstance(option, Option)
    return (
        ours.instrument.underlying == option.underlying
        and ours.price == option.strike
        and ours.trade_date == theirs.trade_date
        and set(ours.notes) & set(theirs.notes) >= set(theirs.notes) & {EXERCISED, ASSIGNED}
    )


def _ends_option(fill: Fill) -> bool:
    return bool({EXERCISED, ASSIGNED} & set(fill.revision.notes))
