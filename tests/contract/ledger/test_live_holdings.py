"""What we hold now, by the base books and the fills since: the same as the books once these are computed."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, corrected_order, fill, option
from reconciled_desk import LAST, Desk

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.position_record import ClickHousePositionRecord
from trading.model.fills import Side, Source, Venue
from trading.reconciliation.breaks import Pass
from trading.reconciliation.live_positions import OurHoldings, OurPosition
from trading.reconciliation.sign_off import sign_off_of

MONDAY = date(2026, 7, 20)
TUESDAY = date(2026, 7, 21)
VENUE = Venue.IBKR


@pytest.fixture
def desk(server_desk: Desk) -> Desk:
    """The desk of these tests."""
    return server_desk


def _holdings(warehouse: Warehouse, account: str = ACCOUNT) -> OurHoldings:
    return ClickHousePositionRecord(warehouse).holdings(VENUE, account)


def _held(warehouse: Warehouse) -> dict[str, OurPosition]:
    return {row.instrument_id: row for row in _holdings(warehouse).positions}


def _quantities(warehouse: Warehouse) -> dict[str, Decimal]:
    return {name: row.quantity for name, row in _held(warehouse).items() if row.quantity}


def _later(fill_id: str, session: date, **changes: object) -> object:
    days = (session - DAY).days
    return fill(fill_id, session=session, trade_date=session, fill_ts=NOON + timedelta(days=days), **changes)


def _signed_off(desk: Desk, session: date) -> None:
    """A final statement settled the session."""
    word = sign_off_of(
        VENUE, ACCOUNT, session, [], made_in=Pass.FINAL, run_id="r", statement_sha256="s", at=RECEIVED
    )
    desk.breaks.put_sign_off(word)


def test_without_books_the_fills_alone_count(desk: Desk, warehouse: Warehouse) -> None:
    """A fill heard before anything was computed is held, with its price as mark and when we were told."""
    desk.fills.record(batch([fill("a.01")]), RECEIVED)
    holdings = _holdings(warehouse)
    assert holdings.base_session is None
    (row,) = holdings.positions
    assert (row.quantity, row.missing, row.mark, row.multiplier) == (2, 0, Decimal("0.73"), 100)
    assert (row.conid, row.underlying, row.changed_at) == (893396239, "CZR", RECEIVED)
    assert row.rate_to_base is None


def test_what_we_hold_is_the_same_before_and_after_the_books_are_computed(
    desk: Desk, warehouse: Warehouse
) -> None:
    """Books move the base, never the position: no fill is counted twice or left out."""
    desk.take_batch(batch([fill("a.01"), _later("b.01", MONDAY, side=Side.SELL, quantity=Decimal(1))]))
    desk.take_batch(batch([_later("c.01", TUESDAY, instrument=option(40), conid=77, side=Side.SELL)]))
    before = _quantities(warehouse)
    assert before == {option().instrument_id: 1, option(40).instrument_id: -2}
    desk.compute(ACCOUNT)
    assert _quantities(warehouse) == before
    assert _holdings(warehouse).base_session == MONDAY  # the last is perhaps not all told
    for session in (DAY, MONDAY, TUESDAY):
        _signed_off(desk, session)
        assert _holdings(warehouse).base_session == session
        assert _quantities(warehouse) == before


def test_a_fill_that_comes_late_to_the_last_session_counts(desk: Desk, warehouse: Warehouse) -> None:
    """Books computed in the evening do not hide a fill of that session that is told afterwards."""
    desk.take_batch(batch([fill("a.01"), _later("b.01", MONDAY, quantity=Decimal(1))]))
    desk.compute(ACCOUNT)
    desk.take_batch(batch([_later("c.01", MONDAY, quantity=Decimal(5))]))
    assert _quantities(warehouse) == {option().instrument_id: 8}


def test_a_closed_contract_stands_with_zero_and_says_when_it_changed(
    desk: Desk, warehouse: Warehouse
) -> None:
    """A contract that was closed today must be quiet before the broker's flat row is believed."""
    desk.fills.record(batch([fill("a.01"), fill("b.01", side=Side.SELL)]), RECEIVED)
    assert _held(warehouse)[option().instrument_id].quantity == 0
    assert _held(warehouse)[option().instrument_id].changed_at == RECEIVED


def test_telling_a_fill_again_changes_nothing_and_a_correction_does(desk: Desk, warehouse: Warehouse) -> None:
    """The sweep's version of a live fill does not break the quiet; a revision with another quantity does."""
    desk.fills.record(batch([fill("a.01")]), RECEIVED)
    later = RECEIVED + timedelta(minutes=1)
    desk.fills.record(batch([fill("a.01", source=Source.SAME_DAY)], source=Source.SAME_DAY), later)
    assert _held(warehouse)[option().instrument_id].changed_at == RECEIVED
    desk.fills.record(batch([fill("a.01", revision=2, quantity=Decimal(1))]), later)
    row = _held(warehouse)[option().instrument_id]
    assert (row.quantity, row.changed_at) == (1, later)


def test_a_cancelled_and_booked_again_order_is_held_once(desk: Desk, warehouse: Warehouse) -> None:
    """The broker's real correction: two bought, cancelled, one and one booked."""
    desk.take_batch(corrected_order())
    assert _quantities(warehouse) == {option().instrument_id: 2}


def test_an_account_without_anything_holds_nothing(warehouse: Warehouse) -> None:
    """No books, no fills: an empty record that says so."""
    holdings = _holdings(warehouse, "nobody")
    assert (holdings.base_session, list(holdings.positions)) == (None, [])


def test_real_statements_are_held_as_the_books_have_them(
    desk: Desk, warehouse: Warehouse, shared_data: Path
) -> None:
    """Two real files: what is held is the newest book's, with what history misses beside it."""
    for name in ("activity.xml", "today.xml"):
        desk.take(shared_data / "ibkr-flex" / name)
    desk.reconcile("DU1234567")
    holdings = _holdings(warehouse, "DU1234567")
    book = desk.pnl.book(VENUE, "DU1234567", LAST)
    assert book is not None
    in_book = {lot.contract.instrument_id: book.position(lot.contract.instrument_id) for lot in book.lots}
    held = {row.instrument_id: row.quantity for row in holdings.positions if row.quantity}
    assert held == {name: quantity for name, quantity in in_book.items() if quantity}
    assert any(row.missing for row in holdings.positions)
