"""What goes wrong with a fill after it was printed: a corrected price, a corrected quantity, a bust."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from simulation.sample_desk.trades import Cancel, Trade

PRICE_PER_MILLE = 9  # of the fills
QUANTITY_PER_MILLE = 9
BUST_PER_MILLE = 5
CORRECTED_AFTER = timedelta(seconds=99)
BUSTED_AFTER = timedelta(minutes=12)
CENT = Decimal("0.01")
FEE_PLACES = Decimal("0.0001")


def with_accidents(rng: Random, fill: Trade) -> tuple[Trade, ...]:
    """The fill, and what a correction of its quantity books beside it."""
    draw = rng.randrange(1000)
    if draw < PRICE_PER_MILLE:
        return (_with_price_corrected(fill),)
    if draw < PRICE_PER_MILLE + QUANTITY_PER_MILLE and fill.quantity > 1:
        return _with_quantity_corrected(fill)
    if draw >= 1000 - BUST_PER_MILLE:
        return (_busted(fill),)
    return (fill,)


def _with_price_corrected(fill: Trade) -> Trade:
    first = fill.prints[0]
    said_at = first.said_at + CORRECTED_AFTER
    again = replace(first, said_at=said_at, price=first.price + CENT, fee=Decimal(0))
    return replace(fill, prints=(first, again), cancels=(Cancel(said_at=said_at, fee=Decimal(0)),))


def _with_quantity_corrected(fill: Trade) -> tuple[Trade, ...]:
    """Like a real one: 2 bought, taken back, 1 booked with a fee given back, 1 under an id of its own."""
    first = fill.prints[0]
    said_at = first.said_at + CORRECTED_AFTER
    given_back = (first.fee / first.quantity).quantize(FEE_PLACES)
    again = replace(first, said_at=said_at, quantity=first.quantity - 1, fee=-given_back)
    rest = replace(first, said_at=said_at, quantity=Decimal(1), fee=given_back)
    corrected = replace(fill, prints=(first, again), cancels=(Cancel(said_at=said_at, fee=Decimal(0)),))
    return (replace(fill, executed_at=said_at, prints=(rest,)), corrected)


def _busted(fill: Trade) -> Trade:
    """The cancel gives the whole fee back."""
    first = fill.prints[0]
    return replace(fill, cancels=(Cancel(said_at=first.said_at + BUSTED_AFTER, fee=-first.fee),))
