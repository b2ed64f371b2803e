"""Vendor spellings of contracts read and print back."""

import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trading.errors import InvalidFieldError
from trading.model.instruments import CurrencyPair, Equity, Future, Option
from trading.model.symbology import (
    alpha_vantage_id,
    from_alpha_vantage,
    instrument_from_ibkr,
    lean_member_name,
    parse_lean_member,
)


def test_alpha_vantage_id_is_occ_without_blanks() -> None:
    """`IBM270115C00390000` is the January 2027 call at 390, and prints back."""
    contract = from_alpha_vantage("IBM270115C00390000")
    assert contract == Option.from_occ("IBM   270115C00390000")
    assert alpha_vantage_id(contract) == "IBM270115C00390000"


@pytest.mark.parametrize("text", ["IBM   270115C00390000", "", "IBM", None])
def test_what_is_no_alpha_vantage_id_is_refused(text: Any) -> None:
    """Blanks inside mean the text is something else."""
    with pytest.raises(InvalidFieldError):
        from_alpha_vantage(text)


@pytest.mark.parametrize(
    ("name", "occ", "day"),
    [
        (
            "20151224_goog_minute_quote_american_call_7350000_20151231.csv",
            "GOOG  151231C00735000",
            date(2015, 12, 24),
        ),
        (
            "20210104_spxw_minute_openinterest_european_put_37000000_20210106.csv",
            "SPXW  210106P03700000",
            date(2021, 1, 4),
        ),
        ("aapl_quote_american_call_928600_20150117.csv", "AAPL  150117C00092860", None),
    ],
)
def test_lean_names_read_and_print_back(name: str, occ: str, day: date | None) -> None:
    """Minute files name their day, hour files do not; both name the contract."""
    member = parse_lean_member(name)
    assert (member.option.occ, member.day) == (occ, day)
    assert lean_member_name(member) == name


@pytest.mark.parametrize(
    "name",
    [
        "20151224_goog_minute_trade.csv",
        "20151224_goog_quote_american_call_7350000_20151231.csv",
        "goog_quote_american_call_7350000_20151331.csv",
        "goog_quote_american_call_7350001_20151231.csv",
        "../goog_quote_american_call_7350000_20151231.csv",
        "",
        None,
    ],
)
def test_what_is_no_lean_option_file_is_refused(name: Any) -> None:
    """A strike with four decimals, a path or a share's file is not a listed contract."""
    with pytest.raises(InvalidFieldError):
        parse_lean_member(name)


@pytest.mark.parametrize(
    ("folder", "count"),
    [
        ("lean-goog-options-20151224", 2_192),
        ("lean-aapl-options-201406", 1_185),
        ("lean-spx-options-202101", 20),
    ],
)
def test_every_member_of_the_recorded_archives_is_a_contract(
    shared_data: Path, folder: str, count: int
) -> None:
    """All names of the real chains parse and print back."""
    archives = sorted((shared_data / folder).glob("option_*/*.zip"))
    names = [name for archive in archives for name in zipfile.ZipFile(archive).namelist()]
    members = [parse_lean_member(name) for name in names]
    assert [lean_member_name(member) for member in members] == names
    assert len({member.option for member in members}) >= count


def test_ibkr_contracts_of_every_kept_type() -> None:
    """The type field says which kind; a share and a conversion are kept with what identifies them."""
    assert instrument_from_ibkr({"secType": "STK", "symbol": "AAPL", "conId": "265598"}) == Equity(
        symbol="AAPL", conid=265598
    )
    assert instrument_from_ibkr({"secType": "CASH", "symbol": "EUR", "currency": "USD"}) == CurrencyPair(
        base="EUR", quote="USD"
    )
    assert instrument_from_ibkr({"secType": "CASH", "symbol": "EUR.USD"}).instrument_id == "FX:EURUSD"
    future = instrument_from_ibkr(
        {
            "secType": "FUT",
            "symbol": "ES",
            "lastTradeDateOrContractMonth": "20261218",
            "multiplier": "50",
            "exchange": "CME",
            "localSymbol": "ESZ6",
        }
    )
    assert isinstance(future, Future)
    assert future.contract_size == Decimal(50)
    with pytest.raises(InvalidFieldError, match="secType"):
        instrument_from_ibkr({"secType": "BAG", "symbol": "SPY"})
