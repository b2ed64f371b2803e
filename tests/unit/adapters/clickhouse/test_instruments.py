"""An instrument survives the warehouse as the value that it was."""

from datetime import date
from decimal import Decimal

import pytest

from adapters.clickhouse.instruments import instrument_text, instrument_value
from trading.errors import WarehouseError
from trading.model.instruments import (
    CurrencyPair,
    Equity,
    Event,
    Future,
    Instrument,
    Option,
    Perpetual,
    Right,
)

CONTRACTS = [
    Option(
        symbol="SPX",
        expiry=date(2026, 1, 16),
        right=Right.CALL,
        strike=Decimal("30.5"),
        trading_class="SPXW",
        conid=5,
    ),
    Option(symbol="BRK B", expiry=date(2026, 1, 16), right=Right.PUT, strike=Decimal("400"), multiplier=10),
    Equity(symbol="MSTR", conid=272110, currency="CHF"),
    CurrencyPair(base="EUR", quote="USD"),
    Event(venue="kalshi", ticker="KXINX-26JUL17-B5000"),
    Perpetual(venue="kraken", symbol="PI_XBTUSD", inverse=True, settlement_currency="XBT"),
    Future(
        symbol="XBT",
        expiry=date(2026, 9, 25),
        multiplier=Decimal("0.0001"),
        exchange="KRAKEN",
        local_symbol="FF_XBTUSD_260925",
    ),
]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.instrument_id)
def test_every_kind_comes_back_equal(contract: Instrument) -> None:
    """With its conid, which takes no part in an option's equality."""
    found = instrument_value(instrument_text(contract))
    assert found == contract
    assert getattr(found, "conid", None) == getattr(contract, "conid", None)


def test_two_conids_of_equal_options_stay_apart() -> None:
    """Equality ignores the conid, the text must not."""
    one, two = (
        Option(symbol="A", expiry=date(2026, 1, 16), right=Right.CALL, strike=Decimal(1), conid=conid)
        for conid in (1, 2)
    )
    assert instrument_text(one) != instrument_text(two)


@pytest.mark.parametrize("text", ["", "{}", '{"asset_class":"bond"}'])
def test_text_of_nobody_is_refused(text: str) -> None:
    """What this code did not write is an error that quotes it."""
    with pytest.raises(WarehouseError, match="instrument"):
        instrument_value(text)
