"""Every kind of contract in the API's spelling."""

from datetime import date

import pytest

from simulation.sample_desk.contracts import UNDERLYINGS, Contract, ContractMaster, euro_dollar, share_of
from simulation.tws.contracts import listing_of, spelled

UNDERLYING = {each.symbol: each for each in UNDERLYINGS}
OPTION = ContractMaster().option(UNDERLYING["SPX"], date(2026, 11, 13), "P", 671_550)
COMBINATION = Contract(
    conid=28812380, asset="BAG", symbol="SPY", description="", currency="USD", multiplier=100,
    underlying=UNDERLYING["SPY"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("contract", "symbol", "sec_type", "local_symbol", "trading_class", "listing"),
    [
        (share_of(UNDERLYING["AAPL"]), "AAPL", "STK", "AAPL", "NMS", "NASDAQ"),
        (share_of(UNDERLYING["SPY"]), "SPY", "STK", "SPY", "SPY", "ARCA"),
        (share_of(UNDERLYING["SPX"]), "SPX", "IND", "SPX", "SPX", "CBOE"),
        (OPTION, "SPX", "OPT", "SPXW  261113P06715500", "SPXW", ""),
        (euro_dollar(), "EUR", "CASH", "EUR.USD", "EUR.USD", ""),
        (COMBINATION, "SPY", "BAG", "SPY", "COMB", ""),
    ],
)
def test_a_contract_is_named_as_the_broker_names_it(
    contract: Contract, symbol: str, sec_type: str, local_symbol: str, trading_class: str, listing: str
) -> None:
    """Symbol, type, local symbol, trading class, and the listing of shares."""
    told = spelled(contract)
    assert (told.symbol, told.sec_type, told.local_symbol) == (symbol, sec_type, local_symbol)
    assert (told.trading_class, listing_of(contract)) == (trading_class, listing)
    assert (told.conid, told.currency) == (str(contract.conid), "USD")


def test_only_an_option_has_expiry_strike_right_and_multiplier() -> None:
    """A strike of nothing is zero, in both of the gateway's spellings."""
    option, share = spelled(OPTION), spelled(share_of(UNDERLYING["SPY"]))
    assert (option.expiry, option.strike, option.strike_double) == ("20261113", "6715.5", "6715.5")
    assert (option.right, option.multiplier) == ("P", "100")
    assert (share.expiry, share.strike, share.strike_double) == ("", "0", "0.0")
    assert (share.right, share.multiplier) == ("", "")
