"""The volatility that the gateway tells at bid, ask and last: one that an option can have, or none."""

from decimal import Decimal

import pytest

from simulation.broker.model import Greeks
from simulation.tws.market_feeds import told_at
from simulation.tws.replies.market import NOT_COMPUTED, option_computation


def greeks(volatility: float = 0.2, vega: float = 0.1) -> Greeks:
    """Of an option of 1.00 dollar."""
    return Greeks(
        implied_volatility=volatility,
        delta=0.5,
        gamma=0.1,
        vega=vega,
        theta=-0.1,
        price=1.0,
        underlying=500.0,
    )


def test_a_price_beside_the_models_moves_the_volatility_by_vega() -> None:
    """Ten cents at ten cents a point is one point."""
    assert told_at(greeks(), Decimal("1.10"), is_model=False) == (pytest.approx(0.21), 1.1)


@pytest.mark.parametrize("price", ["1.05", "0.95"])
def test_an_option_in_its_last_minute_has_no_volatility_at_a_price(price: str) -> None:
    """Its vega is a hair: five cents would be 29,000 times the year's; a gateway tells that there is none."""
    told = told_at(greeks(vega=0.0000000172), Decimal(price), is_model=False)
    assert told is None
    assert option_computation(7, 10, None)[4] == NOT_COMPUTED


def test_the_models_own_volatility_is_bounded_too() -> None:
    """Beyond the bound the model has failed; the bound of its own price is no exception."""
    assert told_at(greeks(12.0), None, is_model=True) is None
    assert told_at(greeks(0.2), None, is_model=True) == (0.2, 1.0)
    assert told_at(None, Decimal(1), is_model=True) is None
