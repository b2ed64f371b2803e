"""Quantities with the money that belongs to them, and how a part of one takes its share.

What goes wrong without this: a fee of 1.00 split over three contracts loses a unit somewhere, and the account
is off by a cent at the end of the year. Here a share is the difference of two cumulative shares, so that any
sequence of parts adds up to the whole: each share is cut toward zero at nine places and the last part takes
the remainder.
"""

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal, localcontext

from trading.errors import InvalidFieldError
from trading.model.money import EXACT, MONEY_PLACES, ZERO

MONEY_UNIT = Decimal(1).scaleb(-MONEY_PLACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A quantity (positive) with its value, fee and premium.

    `value` is what the quantity is worth at its price (for an inverse contract: minus size over price, so
    that more is still better for the holder). `fee` is a cost where positive. `premium` is the basis of
    exercised or assigned options that moved in: positive was paid, negative was received.
    """

    quantity: Decimal
    value: Decimal
    fee: Decimal = ZERO
    premium: Decimal = ZERO

    def part(self, start: Decimal, end: Decimal) -> "Parcel":
        """The slice between two cumulative quantities, 0 <= start <= end <= quantity."""
        if not ZERO <= start <= end <= self.quantity:
            raise InvalidFieldError("part", f"a range within 0..{self.quantity}", (start, end))
        return Parcel(
            quantity=end - start,
            value=self._share(self.value, end) - self._share(self.value, start),
            fee=self._share(self.fee, end) - self._share(self.fee, start),
            premium=self._share(self.premium, end) - self._share(self.premium, start),
        )

    def plus(self, other: "Parcel") -> "Parcel":
        """Both together, as one pool."""
        return Parcel(
            quantity=self.quantity + other.quantity,
            value=self.value + other.value,
            fee=self.fee + other.fee,
            premium=self.premium + other.premium,
        )

    def _share(self, amount: Decimal, upto: Decimal) -> Decimal:
        if amount == 0 or upto == 0:
            return ZERO
        if upto == self.quantity:
            return amount
        with localcontext(EXACT) as context:
            context.rounding = ROUND_DOWN  # the quotient too, else it could be rounded up across a unit
            return (amount * upto / self.quantity).quantize(MONEY_UNIT)


def worth(quantity: Decimal, price: Decimal, multiplier: Decimal, *, inverse: bool) -> Decimal:
    """Value of a quantity at a price, rounded once, half to even, to nine places.

    Linear: quantity x multiplier x price. Inverse: minus quantity x multiplier / price, in the coin.
    """
    with localcontext(EXACT):
        if not inverse:
            exact = quantity * multiplier * price
        elif price > 0:
            exact = -quantity * multiplier / price
        else:
            raise InvalidFieldError("price", "a positive price of an inverse contract", price)
        return exact.quantize(MONEY_UNIT, rounding=ROUND_HALF_EVEN)
