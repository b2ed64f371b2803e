"""What positions bind and what executions cost, in figures that can be worked out by hand."""

from decimal import Decimal

import pytest
from simulated_broker import Desk

from simulation.broker.fees import commission_of
from simulation.broker.margin import requirement
from simulation.broker.matching import ADDED, TOOK
from simulation.sample_desk.contracts import Contract

PRICE, SPOT = Decimal(2), Decimal(670)


def _bound(*holdings: tuple[Contract, int]) -> Decimal:
    held = [(contract, Decimal(quantity)) for contract, quantity in holdings]
    return requirement(held, lambda _: PRICE, lambda _: SPOT).initial


@pytest.fixture(scope="module")
def desk() -> Desk:
    """Contracts to hold."""
    return Desk()


def test_bought_options_bind_nothing(desk: Desk) -> None:
    """They are paid."""
    assert _bound((desk.option(673), 10)) == 0


def test_a_naked_short_call_binds_a_fifth_of_the_spot_less_what_it_is_out(desk: Desk) -> None:
    """2 + 20 % of 670 − 3 out of the money, times a hundred; a far one binds the tenth."""
    assert _bound((desk.option(673), -1)) == 100 * (2 + 134 - 3)
    assert _bound((desk.option(673, "P"), -2)) == 200 * (2 + 134)
    assert _bound((desk.option(690), -1)) == 100 * (2 + 134 - 20)


def test_a_spread_binds_its_width_and_only_what_is_uncovered_is_naked(desk: Desk) -> None:
    """Credit spreads bind the width, debit spreads nothing, a second short option is naked."""
    lower, upper = desk.option(670), desk.option(673)
    assert _bound((lower, -1), (upper, 1)) == 300
    assert _bound((lower, 1), (upper, -1)) == 0
    assert _bound((lower, -2), (upper, 1)) == 300 + 100 * (2 + 134)
    assert _bound((desk.option(670, "P"), -1), (lower, 1)) == 100 * (2 + 134)  # a call covers no put


def test_a_cover_that_ends_first_covers_nothing(desk: Desk) -> None:
    """The short option lives longer than the long one."""
    later = desk.option(673, day="20261120")
    assert _bound((desk.option(670), 1), (later, -1)) == 100 * (2 + 134 - 3)
    assert _bound((desk.option(670), -1), (later, 1)) == 300


def test_shares_bind_half_of_their_value(desk: Desk) -> None:
    """A quarter to keep them."""
    told = requirement([(desk.share(), Decimal(-100))], lambda _: SPOT, lambda _: SPOT)
    assert (told.initial, told.maintenance) == (33_500, 16_750)


def test_the_commission_follows_the_premium_and_the_liquidity(desk: Desk) -> None:
    """Tiers at five and ten cents; taking costs what the exchange asks, adding may be paid for."""
    contract = desk.option()

    def fee(price: str, liquidity: int, side: int = 1) -> Decimal:
        return commission_of(contract, 10, Decimal(price), side, liquidity, "CBOE")

    assert fee("1.00", TOOK) - fee("0.07", TOOK) == Decimal("1.5")
    assert fee("0.07", TOOK) - fee("0.01", TOOK) == Decimal("2.5")
    assert fee("1.00", ADDED) < 0 < fee("1.00", TOOK)
    sale = fee("1.00", TOOK, -1) - fee("1.00", TOOK)
    assert sale == Decimal("0.0206") + Decimal("0.0329")  # of the proceeds, and a contract


def test_shares_cost_by_the_share(desk: Desk) -> None:
    """Whatever the liquidity."""
    assert commission_of(desk.share(), 100, Decimal(670), 1, TOOK, "ARCA") == Decimal("0.35")
