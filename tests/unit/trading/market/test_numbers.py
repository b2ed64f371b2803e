"""Floats of a feed to decimals: what stood on the wire, and nothing that is no number."""

import math
import random
from decimal import Decimal

import pytest

from trading.errors import InvalidFieldError
from trading.market.numbers import decimal_of, is_set, model_value, optional_decimal


@pytest.mark.parametrize("text", ["500.01", "0.05", "1234567.125", "3", "0", "0.00000001", "250000000"])
def test_a_float_gives_the_text_back_that_it_was_read_from(text: str) -> None:
    """Also for whole numbers, which have no decimals."""
    assert decimal_of(float(text)) == Decimal(text)
    assert "E" not in format(decimal_of(float(text)), "f")


def test_any_price_with_six_decimals_goes_through() -> None:
    """A thousand random ones."""
    chance = random.Random(1)
    for _ in range(1_000):
        exact = Decimal(chance.randrange(1, 10**12)).scaleb(-chance.randrange(7))
        assert decimal_of(float(exact)) == exact


def test_what_is_finer_than_the_warehouse_is_rounded_to_its_places() -> None:
    """A computed float has noise behind the eighth place, which no column holds."""
    assert decimal_of(0.1 + 0.2) == Decimal("0.3")
    assert decimal_of(0.1234567891234) == Decimal("0.12345679")
    assert decimal_of(1e-9) == 0


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_is_refused(number: float) -> None:
    """It would be a price that compares with nothing."""
    with pytest.raises(InvalidFieldError):
        decimal_of(number)


def test_none_stays_none_and_unset_is_no_value() -> None:
    """The broker's 1.797e308 is unset; -1 and -2 stand for "not computed", each for its own fields."""
    assert optional_decimal(None) is None
    assert optional_decimal(1.5) == Decimal("1.5")
    assert not is_set(1.7976931348623157e308)
    assert not is_set(math.nan)
    assert model_value(1.7976931348623157e308, -1.0) is None
    assert model_value(-1.0, -1.0) is None
    assert model_value(-1.0, -2.0) == -1.0
