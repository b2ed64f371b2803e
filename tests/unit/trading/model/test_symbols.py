"""One spelling of a symbol in the house, and everybody else's from it and to it."""

import pytest

from trading.errors import InvalidFieldError
from trading.model.instruments import Option
from trading.model.symbology import lean_member_name, parse_lean_member
from trading.model.symbols import (
    house_symbol,
    is_same_symbol,
    lean_symbol,
    occ_root,
    symbol_of_lean,
    symbol_of_vendor,
    vendor_symbol,
)

SPELLINGS = [  # the house's and the broker's, the vendor's, Lean's, the root of options
    ("SPY", "SPY", "spy", "SPY"),
    ("BRK B", "BRK-B", "brk.b", "BRKB"),
    ("BF B", "BF-B", "bf.b", "BFB"),
    ("SPX", "SPX", "spx", "SPX"),
    ("BAC PRK", "BAC-P-K", "bac.prk", "BACPRK"),
]


@pytest.mark.parametrize(("house", "vendor", "lean", "root"), SPELLINGS)
def test_each_source_is_written_and_read_in_its_own_spelling(
    house: str, vendor: str, lean: str, root: str
) -> None:
    """What is asked of a source comes back under the house's name."""
    assert (vendor_symbol(house), lean_symbol(house), occ_root(house)) == (vendor, lean, root)
    assert (
        symbol_of_vendor("ticker", vendor) == symbol_of_lean(lean) == house_symbol("symbol", house) == house
    )
    assert is_same_symbol(house, lean.upper())
    assert is_same_symbol(house, root)


@pytest.mark.parametrize("ticker", ["CRYPTO:BTC", "FOREX:USD", "TSX:RCI-B", "600104.SHH"])
def test_a_ticker_that_is_no_share_here_stays_as_it_came(ticker: str) -> None:
    """Articles name many things; only classes of shares are spelled anew."""
    assert symbol_of_vendor("ticker", ticker) == ticker


@pytest.mark.parametrize(
    "text", ["", "  ", "S  P", "BTC-USD", "ES=F", "^IXIC", "^", "$", "$^SPX", "A.B.C", None, 1]
)
def test_what_is_no_symbol_names_field_and_value(text: object) -> None:
    """No guess is made."""
    with pytest.raises(InvalidFieldError, match="symbols") as refused:
        house_symbol("symbols", text)
    assert refused.value.value == text


@pytest.mark.parametrize("root", ["BRKB", "SPXW"])
def test_options_by_their_occ_symbol_are_on_the_house_s_underlying(root: str) -> None:
    """The root has no place for the mark of a class, and an index has several roots."""
    option = Option.from_occ(f"{root:<6}261218C00500000")
    assert (option.symbol, option.root) == ({"BRKB": "BRK B", "SPXW": "SPX"}[root], root)


def test_a_member_of_a_lean_archive_of_a_class_is_named_as_it_was_read() -> None:
    """``brk.b`` in the file, ``BRK B`` in the house, ``BRKB`` at the clearing house."""
    name = "20140606_brk.b_minute_trade_american_call_1300000_20140621.csv"
    member = parse_lean_member(name)
    assert (member.option.symbol, member.option.trading_class) == ("BRK B", "BRKB")
    assert member.option == Option.from_occ("BRKB  140621C00130000")
    assert lean_member_name(member) == name


def test_an_index_class_of_a_lean_archive_keeps_its_root() -> None:
    """SPXW is a class of its own."""
    name = "20210104_spxw_minute_trade_european_call_37000000_20210104.csv"
    assert lean_member_name(parse_lean_member(name)) == name
