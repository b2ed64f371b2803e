"""The causes come from rules: another year, other names, a missing opening and a doubled fill, and they
follow.
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from reconciled_desk import Desk, desk_in_memory

from trading.reconciliation.breaks import Break, BreakKind, BreakState

ACCOUNT = "U9999999"
SHIFT = timedelta(days=364)  # whole weeks, so that Fridays stay Fridays
RENAMED = {"MSTR": "QQRT", "MSTY": "QQRY", "DN3": "ZZ9"}
NUMBERS = {"272110": "900001", "763080650": "900002", "752508300": "900003", "743314526": "900004"}
OPENING_DELETED = "30870624310"  # the one opening of the contract whose commission was adjusted
OPEN_LOT_DELETED = "37023323728"  # of the short call that is open at the end of the year
DOUBLED = "37023323763"


def _moved(text: str) -> str:
    """All dates by 364 days, all symbols and the contracts' numbers renamed."""
    text = re.sub(r"20\d\d-\d\d-\d\d", lambda found: _later(found.group()).isoformat(), text)
    text = re.sub(r'(symbol="\w+ +)(\d{6})([CP])', _occ, text)
    for old, new in RENAMED.items():
        text = re.sub(rf"\b{old}\b", new, text)
    for old, new in NUMBERS.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return text


def _later(day: str) -> date:
    return date.fromisoformat(day) + SHIFT


def _occ(found: "re.Match[str]") -> str:
    day = date.fromisoformat(f"20{found[2][:2]}-{found[2][2:4]}-{found[2][4:]}") + SHIFT
    return f"{found[1]}{day:%y%m%d}{found[3]}"


def _trade(text: str, transaction_id: str) -> str:
    rows = [
        row
        for row in re.findall(r"<Trade .*?/>", text, re.DOTALL)
        if f'transactionID="{transaction_id}"' in row
    ]
    assert len(rows) == 1
    return str(rows[0])


def _doubled(row: str) -> str:
    """The same fill under other ids."""
    row = re.sub(r'ibExecID="[^"]*"', 'ibExecID="0000aaaa.0000bbbb.01.01"', row)
    return re.sub(r'transactionID="\d+"', 'transactionID="39999999999"', row).replace(
        'tradeID="', 'tradeID="9'
    )


def _desk(text: str) -> Desk:
    desk = desk_in_memory()
    desk.take(text.encode())
    desk.reconcile(ACCOUNT)
    return desk


def _found(desk: Desk, kind: BreakKind) -> list[Break]:
    return [event.found for event in desk.breaks.breaks() if event.found.kind is kind]


@pytest.fixture(scope="module")
def moved_text(shared_data: Path) -> str:
    """The annual statement of another year."""
    return _moved((shared_data / "ibkr-flex" / "annual-2025.xml").read_text())


@pytest.fixture(scope="module")
def moved(moved_text: str) -> Desk:
    """That year, reconciled."""
    return _desk(moved_text)


@pytest.fixture(scope="module")
def damaged(moved_text: str) -> Desk:
    """That year with two openings deleted and one fill doubled."""
    text = moved_text
    for transaction_id in (OPENING_DELETED, OPEN_LOT_DELETED):
        text = text.replace(_trade(text, transaction_id), "")
    row = _trade(text, DOUBLED)
    return _desk(text.replace(row, row + _doubled(row)))


def test_the_named_exceptions_follow_into_another_year(moved: Desk) -> None:
    """The same breaks with the same sizes and causes, under the new names and dates."""
    found = {
        (
            item.kind,
            item.instrument_id or item.currency,
            item.session.isoformat(),
            item.difference,
            item.cause,
        )
        for event in moved.breaks.breaks()
        if (item := event.found).kind is not BreakKind.MISSING_HISTORY
    }
    shares = "STK:900001"
    pair = "commission_debited_in_another_currency"
    assert found == {
        (
            BreakKind.REALIZED,
            "OPT:QQRT  260213C00500000",
            "2026-02-13",
            Decimal("-0.0100004"),
            "adjusted_commission",
        ),
        (BreakKind.REALIZED, shares, "2026-03-05", Decimal("69.510037386"), "missing_history"),
        (BreakKind.REALIZED, shares, "2026-03-12", Decimal("42.973915275"), "missing_history"),
        (BreakKind.REALIZED, shares, "2026-10-16", Decimal("29190.354552287"), "missing_history"),
        (BreakKind.REALIZED, shares, "2026-10-19", Decimal("1222.770981"), "missing_history"),
        (BreakKind.POSITION, shares, "2026-12-30", Decimal(-284), "missing_history"),
        (BreakKind.CASH, "CHF", "2026-12-30", Decimal("-18.867786263"), pair),
        (BreakKind.CASH, "USD", "2026-12-30", Decimal("21.821296002"), pair),
    }


def test_a_deleted_opening_is_missing_history_of_its_contract(damaged: Desk) -> None:
    """Its closing has nothing to close; the adjusted commission is no longer the reason."""
    contract = "OPT:QQRT  260213C00500000"
    unopened = [item for item in _found(damaged, BreakKind.MISSING_HISTORY) if item.instrument_id == contract]
    realized = [item for item in _found(damaged, BreakKind.REALIZED) if item.instrument_id == contract]
    assert [(item.difference, item.cause) for item in unopened] == [(1, "missing_history")]
    assert [(item.difference, item.cause) for item in realized] == [
        (Decimal("-767.11731"), "missing_history")
    ]


def test_a_doubled_fill_and_a_deleted_one_of_a_contract_are_an_open_break(damaged: Desk) -> None:
    """Three short calls lacking and thirteen too many leave a position that no rule explains."""
    short_calls = [
        event for event in damaged.breaks.breaks()
        if event.found.kind is BreakKind.POSITION and event.found.instrument_id.endswith("C00220000")
    ]  # fmt: skip
    assert [(event.found.difference, event.state) for event in short_calls] == [(-10, BreakState.OPEN)]


def test_a_doubled_fill_is_named_by_its_twin(moved_text: str) -> None:
    """One fill under two ids: the position is off by exactly it, and the note names both."""
    row = _trade(moved_text, DOUBLED)
    desk = _desk(moved_text.replace(row, row + _doubled(row)))
    doubled = [
        event for event in desk.breaks.breaks()
        if event.found.kind is BreakKind.POSITION and event.found.cause != "missing_history"
    ]  # fmt: skip
    assert [event.found.difference for event in doubled] == [-13]
    assert doubled[0].state is BreakState.OPEN
    assert doubled[0].found.note.startswith("booked_twice: ")


def test_a_repeated_row_with_its_own_ids_changes_nothing(moved_text: str, moved: Desk) -> None:
    """The same row twice is one fill: the breaks are those of the file without the repeat."""
    row = _trade(moved_text, DOUBLED)
    desk = _desk(moved_text.replace(row, row + row))
    assert [event.break_id for event in desk.breaks.breaks()] == [
        event.break_id for event in moved.breaks.breaks()
    ]
