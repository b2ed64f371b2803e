"""A basis taken from the broker's cost, on every store: the lot keeps its mark, and it is taken once."""

from datetime import date
from decimal import Decimal

from flex_documents import ACCOUNT, activity, trade
from reconciled_desk import Desk

from trading.model.fills import Venue
from trading.pnl.book import Origin
from trading.services.lots_from_closings import ClosingStores, lots_from_closings

OPENING = trade(dateTime="20260716;120000", tradeDate="20260716", openCloseIndicator="O")
OLD = {"symbol": "CZR   260821C00035000", "strike": "35", "conid": "893396240"}
CLOSING = trade(
    **OLD,
    dateTime="20260717;120000",
    tradeDate="20260717",
    quantity="-2",
    buySell="SELL",
    tradePrice="2",
    ibCommission="-1",
    cost="-300",
    openCloseIndicator="C",
    tradeID="2",
    ibOrderID="2",
    transactionID="2",
    ibExecID="a.b.01",
)


def test_the_marked_lot_is_there_before_the_first_fill_and_makes_the_brokers_figure(desk: Desk) -> None:
    """Kept with its mark until the closing, which realizes 400 - 1 - 300; a second asking adds nothing."""
    desk.take(activity(OPENING, CLOSING))
    desk.compute(ACCOUNT)
    stores = ClosingStores(fills=desk.fills, statements=desk.statements, pnl=desk.pnl)
    assert [lots_from_closings(stores, Venue.IBKR, ACCOUNT).new for _ in range(2)] == [1, 0]
    desk.compute(ACCOUNT)
    before = desk.pnl.book(Venue.IBKR, ACCOUNT, date(2026, 7, 16))
    assert before is not None
    assert {lot.contract.conid: lot.origin for lot in before.lots} == {
        893396239: Origin.FILL,
        893396240: Origin.BROKER_COST,
    }
    result = desk.pnl.result(Venue.IBKR, ACCOUNT, date(2026, 7, 17))
    assert result is not None
    assert [match.realized for match in result.matches] == [Decimal(99)]
    assert lots_from_closings(stores, Venue.IBKR, ACCOUNT).lots == 0
