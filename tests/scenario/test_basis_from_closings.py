"""The broker's cost at a closing supplies the basis of what is older than the files, marked as such."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from flex_documents import ACCOUNT, activity, trade
from reconciled_desk import FIRST, LAST, Desk, desk_in_memory

from trading.model.fills import Venue
from trading.pnl.book import LotMatch, Origin
from trading.pnl.opening import lot_of
from trading.reconciliation.breaks import BreakKind, BreakState
from trading.reconciliation.closings import Closing, compare_closings
from trading.services.lots_from_closings import BasisReport, ClosingStores, lots_from_closings

YEAR, SHARES = "U9999999", "STK:272110"
OPTION = "OPT:CZR   260821C00030000"


def _supply(desk: Desk, account: str = ACCOUNT) -> BasisReport:
    stores = ClosingStores(fills=desk.fills, statements=desk.statements, pnl=desk.pnl)
    return lots_from_closings(stores, Venue.IBKR, account)


def _row(number: int, day: str, side: str, quantity: int, opens: str, cost: str | None) -> str:
    """A trade at 2.00 with a fee of 1.00; quantity positive."""
    told = {"cost": cost} if cost is not None else {}
    return trade(
        dateTime=f"{day};120000",
        tradeDate=day,
        quantity=str(quantity if side == "BUY" else -quantity),
        buySell=side,
        tradePrice="2",
        ibCommission="-1",
        openCloseIndicator=opens,
        tradeID=str(number),
        ibOrderID=str(number),
        transactionID=str(number),
        ibExecID=f"a.b{number}.01",
        **told,
    )


def _desk(*rows: str) -> Desk:
    desk = desk_in_memory()
    desk.take(activity(*rows))
    desk.compute(ACCOUNT)
    return desk


def _matches(desk: Desk, account: str) -> list[LotMatch]:
    runs = desk.pnl.runs(Venue.IBKR, account)
    found = [desk.pnl.result(Venue.IBKR, account, run.session) for run in runs]
    return [match for result in found if result for match in result.matches]


def _realized(desk: Desk, account: str) -> Decimal:
    return sum((match.realized for match in _matches(desk, account)), Decimal(0))


def _share_closings(desk: Desk) -> Sequence[Closing]:
    sessions = desk.fills.sessions_with_fills(Venue.IBKR, YEAR, FIRST, LAST)
    fills = desk.fills.fills(Venue.IBKR, YEAR, sessions)
    return compare_closings(fills, _matches(desk, YEAR), (), "equity")


def test_on_the_real_year_the_old_shares_get_the_brokers_basis_and_every_closing_its_figure(
    shared_data: Path,
) -> None:
    """284 shares of earlier years, taken by three closings of which one took known ones too: then all 22
    share closings, and the position, equal the broker's, and nothing is missing.
    """
    desk = desk_in_memory()
    desk.take(shared_data / "ibkr-flex" / "annual-2025.xml")
    desk.reconcile(YEAR)
    before = {event.found.kind for event in desk.breaks.breaks() if event.state is BreakState.EXPLAINED}
    assert {BreakKind.MISSING_HISTORY, BreakKind.POSITION} <= before
    assert _supply(desk, YEAR) == BasisReport(account=YEAR, lots=3, new=3, left_out=())
    desk.reconcile(YEAR)
    standing = [event for event in desk.breaks.breaks() if event.state is not BreakState.CLOSED]
    assert {event.found.cause for event in standing if event.found.instrument_id == SHARES} <= {
        "adjusted_commission"
    }
    assert not [
        event for event in standing if event.found.kind in (BreakKind.POSITION, BreakKind.MISSING_HISTORY)
    ]
    book = desk.pnl.book(Venue.IBKR, YEAR, LAST)
    assert book is not None
    assert book.position(SHARES) == 5257
    closings = _share_closings(desk)
    assert (len(closings), [item for item in closings if not item.is_equal]) == (22, [])
    assert _supply(desk, YEAR).lots == 0


def test_lots_of_the_brokers_cost_are_marked_in_the_book_and_the_store() -> None:
    """Until it is closed the lot says where its basis is from, and the store names the closing."""
    desk = _desk(_row(1, "20260717", "SELL", 2, "C", "-300"))
    assert _supply(desk).new == 1
    (lot,) = desk.statements.opening_lots(Venue.IBKR, ACCOUNT)
    assert (lot.origin, lot.quantity, lot.cost_basis) == ("broker_cost:a.b1", 2, 300)
    assert lot_of(lot, lot.as_of).origin is Origin.BROKER_COST


def test_the_closing_makes_the_brokers_figure() -> None:
    """Proceeds 400 less the fee of 1 less the cost of 300."""
    desk = _desk(_row(1, "20260717", "SELL", 2, "C", "-300"))
    assert _realized(desk, ACCOUNT) == 0
    _supply(desk)
    desk.compute(ACCOUNT)
    assert _realized(desk, ACCOUNT) == 99


def test_a_short_position_of_earlier_years_has_its_proceeds_as_basis() -> None:
    """Bought back for 400 and a fee of 1, after it had brought 500."""
    desk = _desk(_row(1, "20260717", "BUY", 2, "C", "500"))
    assert _supply(desk).new == 1
    desk.compute(ACCOUNT)
    assert _realized(desk, ACCOUNT) == 99


def test_a_closing_of_old_and_known_lots_leaves_the_old_ones_the_rest() -> None:
    """Three closed for 850: one known had cost 201, so the two old ones had cost 649."""
    desk = _desk(_row(1, "20260716", "BUY", 1, "O", None), _row(2, "20260717", "SELL", 3, "C", "-850"))
    _supply(desk)
    (lot,) = desk.statements.opening_lots(Venue.IBKR, ACCOUNT)
    assert (lot.quantity, lot.cost_basis) == (2, 649)
    desk.compute(ACCOUNT)
    assert _realized(desk, ACCOUNT) == 600 - 1 - 850


def test_asked_twice_before_the_books_are_computed_it_adds_nothing() -> None:
    """The same closings are the same lots."""
    desk = _desk(_row(1, "20260717", "SELL", 2, "C", "-300"))
    assert (_supply(desk).new, _supply(desk).new) == (1, 0)


def test_without_the_brokers_cost_nothing_is_made_up() -> None:
    """The contract is named with the reason, and its break stays."""
    desk = _desk(_row(1, "20260717", "SELL", 2, "C", None))
    report = _supply(desk)
    assert (report.lots, report.left_out) == (0, (f"{OPTION}: the broker tells no cost at a.b1",))
    desk.reconcile(ACCOUNT)
    assert [event.found.kind for event in desk.breaks.breaks()] == [BreakKind.MISSING_HISTORY]


def test_an_account_without_missing_openings_gets_none() -> None:
    """Nothing is missing, nothing is supplied."""
    desk = _desk(_row(1, "20260716", "BUY", 1, "O", None))
    assert _supply(desk) == BasisReport(account=ACCOUNT, lots=0, new=0, left_out=())
