"""The example rows of thirty sections: what has a reader is read, the rest is kept, nothing is lost."""

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flex_documents import document, row, section, statement

from adapters.ibkr.flex import parse_flex
from trading.model.statements import BrokerStatement

FRAMES = {"FlexStatement", "FlexQueryResponse"}
SECTIONS = {
    "Trade": "Trades",
    "Lot": "Trades",
    "Order": "Trades",
    "SymbolSummary": "Trades",
    "AssetSummary": "Trades",
}


@pytest.fixture(scope="module")
def elements(shared_data: Path) -> list[ElementTree.Element]:
    root = ElementTree.parse(shared_data / "ibkr-flex" / "ibflex_elements.xml").getroot()
    return [element for element in root if element.tag not in FRAMES]


@pytest.fixture(scope="module")
def read(elements: list[ElementTree.Element]) -> BrokerStatement:
    sections = [
        section(SECTIONS.get(element.tag, "Anything"), row(element.tag, element.attrib))
        for element in elements
    ]
    by_account = parse_flex(document(statement(*sections, accountId="U123456")), "elements")
    return next(told for told in by_account if told.account == "U123456")


def test_sections_of_all_kinds_become_values(read: BrokerStatement) -> None:
    """One lot, cash report, dividend, tender, contract and rate; both styles of option event."""
    assert (len(read.positions), len(read.cash), len(read.cash_flows)) == (1, 1, 1)
    assert (len(read.corporate_actions), len(read.contracts), len(read.fx_rates)) == (1, 1, 1)
    assert [event.kind for event in read.option_events] == ["Assignment", "Buy"]
    assert read.base_currency == "USD"
    assert read.fx_rates[0].rate == Decimal("0.12876")
    assert read.corporate_actions[0].kind == "TC"


def test_split_date_and_time_and_a_saturday_expiry_are_read(read: BrokerStatement) -> None:
    """`tradeDate` and `tradeTime` make a moment; VXX 17SEP11 keeps the date the broker names it by."""
    (booking,) = read.batch.fills
    assert booking.fill_ts.isoformat() == "2011-08-11T20:20:00+00:00"
    assert booking.instrument.instrument_id == "OPT:VXX   110917C00005000"
    assert booking.fill_id == "flex:2381339439"


def test_what_says_the_same_again_is_no_fill(read: BrokerStatement) -> None:
    """Lots, orders and summaries add nothing to the one execution."""
    assert len(read.batch.fills) == 1


def test_a_conversion_whose_currency_is_not_its_second_is_refused(read: BrokerStatement) -> None:
    """USD.EUR in USD: which side would the proceeds be?"""
    (refused,) = read.batch.rejected
    assert (refused.field, refused.is_trade_row) == ("currency", True)


def test_every_element_is_somewhere(elements: list[ElementTree.Element], read: BrokerStatement) -> None:
    """Values, kept rows, refused rows, the account's row and what says the same again make up the file."""
    values = (
        len(read.positions)
        + len(read.cash)
        + len(read.cash_flows)
        + len(read.option_events)
        + len(read.corporate_actions)
        + len(read.contracts)
        + len(read.fx_rates)
        + len(read.batch.fills)
    )
    again = sum(element.tag in ("Lot", "Order", "SymbolSummary", "AssetSummary") for element in elements)
    elsewhere = sum(element.get("accountId", "U123456") != "U123456" for element in elements)
    strange = sum(
        element.get("accountId") not in (None, "U123456")
        and element.tag in ("Lot", "Order", "SymbolSummary", "AssetSummary")
        for element in elements
    )
    kept = len(read.other_rows) + len(read.batch.rejected) + 1
    assert values + kept + again + elsewhere - strange == len(elements)
