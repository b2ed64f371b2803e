"""Corporate actions and imported lots: quantities and basis change, and nothing realizes."""

from datetime import UTC, date, datetime
from decimal import Decimal

from pnl_samples import FRIDAY, MONDAY, SHARE, fill, realized, run

from trading.model.fills import Venue
from trading.model.instruments import Equity, Instrument
from trading.model.statements import CorporateAction
from trading.pnl.book import Origin
from trading.pnl.opening import lot_of
from trading.ports.statement_store import OpeningLot

RENAMED = Equity(symbol="CLX", conid=3001)


def _action(
    quantity: int, instrument: Instrument = SHARE, proceeds: int = 0, action_id: str = "1"
) -> CorporateAction:
    return CorporateAction(
        account="U1",
        report_date=MONDAY,
        action_ts=None,
        kind="FS",
        instrument=instrument,
        conid=getattr(instrument, "conid", None),
        quantity=Decimal(quantity),
        currency="USD",
        proceeds=Decimal(proceeds),
        action_id=action_id,
        transaction_id=f"{instrument.symbol}{quantity}",
    )


def test_a_split_changes_quantities_in_place_and_keeps_the_money() -> None:
    """Three for one: two lots triple, their basis and their order stay."""
    held, _ = run([fill(1, 100, 9, SHARE, fee=1), fill(2, 1, 10, SHARE)])
    split, result = run([], held, session=MONDAY, corporate_actions=[_action(202)])
    assert [(lot.open_quantity, lot.basis) for lot in split.lots] == [(300, 901), (3, 10)]
    assert result.matches == ()
    closed, after = run(
        [fill(3, -303, 3, SHARE, session=date(2026, 7, 21))], split, session=date(2026, 7, 21)
    )
    assert closed.lots == ()
    assert sum(realized(after)) == 909 - 911


def test_a_partly_closed_lot_splits_by_what_is_left() -> None:
    """100 bought, 40 sold: the split doubles 60 and their share of the cost."""
    held, _ = run([fill(1, 100, 10, SHARE), fill(2, -40, 10, SHARE)])
    split, _ = run([], held, session=MONDAY, corporate_actions=[_action(60)])
    assert [(lot.open_quantity, lot.basis) for lot in split.lots] == [(120, 600)]


def test_a_reverse_split_with_cash_in_lieu_pays_into_cash_and_realizes_nothing() -> None:
    """One for three of 100: 33 stay, the fraction is paid."""
    held, _ = run([fill(1, 100, 9, SHARE)])
    split, result = run([], held, session=MONDAY, corporate_actions=[_action(-67, proceeds=9)])
    assert split.position(SHARE.instrument_id) == 33
    assert split.cash["USD"] == -891
    assert sum(realized(result)) == 0


def test_a_rename_moves_the_lots_to_the_new_contract() -> None:
    """The old contract goes out whole, the new one comes in with its basis and dates."""
    held, _ = run([fill(1, 100, 9, SHARE, fee=1)])
    moved, _ = run([], held, session=MONDAY, corporate_actions=[_action(-100), _action(100, RENAMED)])
    assert [(lot.contract.symbol, lot.open_quantity, lot.basis, lot.open_session) for lot in moved.lots] == [
        ("CLX", 100, 901, FRIDAY)
    ]
    assert moved.position(SHARE.instrument_id) == 0


def test_an_action_on_what_we_do_not_hold_changes_nothing() -> None:
    """The position will differ from the broker's, and that is a break."""
    book, _ = run([], corporate_actions=[_action(300)])
    assert book.lots == ()


def test_an_imported_lot_is_there_before_the_first_fill() -> None:
    """284 shares of an earlier year at their cost: a closing finds them, and nothing is missing."""
    told = OpeningLot(
        venue=Venue.IBKR,
        account="U1",
        as_of=date(2025, 12, 31),
        instrument=SHARE,
        conid=2001,
        quantity=Decimal(284),
        multiplier=Decimal(1),
        currency="USD",
        cost_basis=Decimal("110646.42"),
        origin="lots.csv",
        open_ts=datetime(2024, 3, 1, 15, 0, tzinfo=UTC),
    )
    sale = fill(1, -284, 400, SHARE, open_close="C", fee=1)
    book, result = run([sale], opening_lots=[lot_of(told, FRIDAY)])
    assert book.lots == ()
    assert sum(realized(result)) == Decimal("2952.58")
    assert lot_of(told, FRIDAY).origin is Origin.OPENING_LOT
    assert lot_of(told, FRIDAY, 0).lot_id != lot_of(told, FRIDAY, 1).lot_id
