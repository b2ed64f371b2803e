"""The sample desk's statements carry the attribute sets of real files, element by element."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, parse

import pytest

from simulation.sample_desk import flex_attributes as names
from simulation.sample_desk import write_sample_desk

REAL = Path(__file__).parents[4] / "shared" / "data" / "ibkr-flex"
ACTIVITY_ROWS = {
    "FlexStatement": names.FLEX_STATEMENT,
    "AccountInformation": names.ACCOUNT_INFORMATION,
    "Trade": names.TRADE,
    "OpenPosition": names.OPEN_POSITION,
    "CashTransaction": names.CASH_TRANSACTION,
    "CashReportCurrency": names.CASH_REPORT,
    "SecurityInfo": names.SECURITY_INFO,
}


def _real(name: str) -> Element:
    path = REAL / name
    if not path.exists():
        pytest.skip(f"no real statement at {path}")
    return parse(path).getroot()


def _rows(root: Element, tag: str) -> Iterator[list[str]]:
    return (list(element.attrib) for element in root.iter(tag) if element.attrib)


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk of three sessions, the second of which is a Friday with a delivery."""
    directory = tmp_path_factory.mktemp("desk")
    write_sample_desk(directory, seed=3, sessions=3, venues=False)
    return directory / "inbox"


@pytest.mark.parametrize("tag", sorted(ACTIVITY_ROWS))
def test_names_are_those_of_a_real_activity_statement(tag: str) -> None:
    """Each element's attributes are the real year's, in its order."""
    for row in _rows(_real("annual-2025.xml"), tag):
        assert row == list(ACTIVITY_ROWS[tag])


def test_sections_are_those_of_a_real_activity_statement() -> None:
    """The statement has the real year's children in its order."""
    statement = next(_real("annual-2025.xml").iter("FlexStatement"))
    assert [child.tag for child in statement] == list(names.ACTIVITY_SECTIONS)


def test_option_events_have_the_names_of_a_real_statement() -> None:
    """OptionEAE rows carry the attributes of the statement that has some."""
    rows = list(_rows(_real("activity.xml"), "OptionEAE"))
    assert rows
    assert {tuple(row) for row in rows} == {names.OPTION_EAE}


def test_confirmations_have_the_names_of_a_real_one() -> None:
    """TradeConfirm rows carry the attributes of a real Trade Confirmation."""
    rows = list(_rows(_real("today.xml"), "TradeConfirm"))
    assert rows
    assert {tuple(row) for row in rows} == {names.TRADE_CONFIRM}


def test_every_written_row_has_exactly_these_names(inbox: Path) -> None:
    """What is written has the listed attributes and no other, for every row of every file."""
    listed = {**ACTIVITY_ROWS, "OptionEAE": names.OPTION_EAE, "TradeConfirm": names.TRADE_CONFIRM}
    seen = set()
    for path in sorted(inbox.glob("*.xml")):
        for element in parse(path).getroot().iter():
            if element.tag in listed and element.attrib:
                seen.add(element.tag)
                assert list(element.attrib) == list(listed[element.tag]), path.name
    assert seen == set(listed)


def test_both_time_formats_are_written(inbox: Path) -> None:
    """Accounts differ in the format that their owner chose: compact or dashed."""
    times = {
        re.sub(r"\d", "9", str(element.get("dateTime")))
        for path in sorted(inbox.glob("*activity.xml"))
        for element in parse(path).getroot().iter("Trade")
    }
    assert times == {"99999999;999999", "9999-99-99;99:99:99"}


def test_ibflex_reads_what_we_write(inbox: Path) -> None:
    """An independent parser that refuses unknown attributes and malformed values reads every statement."""
    ibflex = pytest.importorskip("ibflex")
    for path in sorted(inbox.glob("*.xml")):
        answer = ibflex.parser.parse(str(path))
        root = parse(path).getroot()
        statement = answer.FlexStatements[0]
        trades = statement.Trades or statement.TradeConfirms
        assert len(trades) == len(list(root.iter("Trade"))) + len(list(root.iter("TradeConfirm")))
