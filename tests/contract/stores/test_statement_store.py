"""What every statement store promises: the broker's last word counts, not the last file."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, option

from trading.model.fills import Venue
from trading.model.instruments import Equity
from trading.model.statements import (
    BrokerStatement,
    CashBalance,
    CashFlow,
    CorporateAction,
    DetailLevel,
    FxRate,
    OptionEvent,
    StatementContract,
    StatementKind,
    StatementPosition,
    StatementRow,
)
from trading.ports.statement_store import OpeningLot

SECTIONS = ("Trades", "OpenPositions", "CashReport", "CashTransactions", "OptionEAE")


def position(quantity: str = "2", **changes: Any) -> StatementPosition:
    """An open position."""
    told: dict[str, Any] = {
        "account": ACCOUNT,
        "report_date": DAY,
        "instrument": option(),
        "conid": 893396239,
        "level": DetailLevel.SUMMARY,
        "quantity": Decimal(quantity),
        "multiplier": Decimal(100),
        "currency": "USD",
        "mark_price": Decimal("0.745"),
        "cost_basis": Decimal("147.3666"),
        "open_ts": NOON,
    }
    return StatementPosition(**{**told, **changes})


def cash(ending: str = "100.123456789") -> CashBalance:
    """A cash report."""
    lines = (("deposits", Decimal("1.5")), ("commissions", Decimal("-2.000000001")))
    return CashBalance(
        account=ACCOUNT,
        from_date=DAY,
        to_date=DAY,
        currency="USD",
        starting=Decimal("1"),
        ending=Decimal(ending),
        lines=lines,
    )


def flow(transaction_id: str = "", amount: str = "-3", **changes: Any) -> CashFlow:
    """A fee."""
    told: dict[str, Any] = {
        "account": ACCOUNT,
        "report_date": DAY,
        "settle_date": DAY,
        "currency": "USD",
        "amount": Decimal(amount),
        "kind": "Other Fees",
        "level": DetailLevel.DETAIL,
        "transaction_id": transaction_id,
    }
    return CashFlow(**{**told, **changes})


def statement(sha256: str = "a", made_at: datetime | None = NOON, **changes: Any) -> BrokerStatement:
    """A day's Activity statement."""
    told: dict[str, Any] = {
        "venue": Venue.IBKR,
        "account": ACCOUNT,
        "kind": StatementKind.ACTIVITY,
        "query_name": "daily",
        "from_date": DAY,
        "to_date": DAY,
        "generated_at": made_at,
        "base_currency": "CHF",
        "sha256": sha256,
        "batch": batch(),
        "sections": SECTIONS,
    }
    return BrokerStatement(**{**told, **changes})


def test_statements_that_are_told_together_are_those_told_alone(stores: Any) -> None:
    """Known ones, new ones and a repeat among them: each answer is its own, and the rows are of each."""
    known, new = statement("a", positions=(position(),)), statement("b", cash=(cash(),), account="DU2")
    stores.statements.record(known, RECEIVED)
    assert list(stores.statements.record_all([known, new, new], RECEIVED)) == [False, True, False]
    assert list(stores.statements.record_all([], RECEIVED)) == []
    assert len(stores.statements.statements(Venue.IBKR, ACCOUNT)) == 1
    assert list(stores.statements.positions(Venue.IBKR, ACCOUNT, DAY) or ()) == [position()]
    assert [row.ending for row in stores.statements.cash(Venue.IBKR, "DU2", DAY) or ()] == [cash().ending]


def test_a_statement_that_is_told_twice_is_stored_once(stores: Any) -> None:
    """The second telling says so and changes nothing."""
    told = statement(positions=(position(),), cash=(cash(),), cash_flows=(flow(), flow()))
    assert stores.statements.record(told, RECEIVED) is True
    assert stores.statements.record(told, RECEIVED + timedelta(days=1)) is False
    assert len(stores.statements.statements(Venue.IBKR, ACCOUNT)) == 1
    assert list(stores.statements.cash_flows(Venue.IBKR, ACCOUNT, DAY, DAY)) == [flow(), flow()]


def test_every_row_comes_back_as_it_was_told(stores: Any) -> None:
    """Types, digits, order of lines, and what is absent."""
    event = OptionEvent(
        account=ACCOUNT,
        event_date=DAY,
        kind="Expiration",
        instrument=option(),
        conid=893396239,
        quantity=Decimal(-2),
        price=Decimal(0),
        mark_price=None,
        realized=Decimal("-27.5746"),
        trade_id="1787168394",
    )
    action = CorporateAction(
        account=ACCOUNT,
        report_date=DAY,
        action_ts=NOON,
        kind="FS",
        instrument=Equity(symbol="MSTR", conid=272110),
        conid=272110,
        quantity=Decimal("10.5"),
        currency="USD",
        proceeds=Decimal(0),
    )
    rate = FxRate(report_date=DAY, from_currency="USD", to_currency="CHF", rate=Decimal("0.82172"))
    told = statement(
        positions=(position(), position("-1", level=DetailLevel.LOT, open_ts=None, mark_price=None)),
        cash=(cash(),),
        cash_flows=(flow("7", fx_rate_to_base=Decimal("0.82172")),),
        option_events=(event,),
        corporate_actions=(action,),
        fx_rates=(rate,),
        contracts=(StatementContract(instrument=option(), conid=893396239, isin="US1"),),
        other_rows=(StatementRow(section="Transfers", tag="Transfer", raw="{}"),),
        unknown_fields=("Trade.newName",),
    )
    store = stores.statements
    store.record(told, RECEIVED)
    own = (Venue.IBKR, ACCOUNT)
    assert sorted(store.positions(*own, DAY), key=lambda row: row.quantity) == [
        told.positions[1],
        told.positions[0],
    ]
    assert list(store.cash(*own, DAY)) == [cash()]
    assert list(store.cash_flows(*own, DAY, DAY)) == list(told.cash_flows)
    assert list(store.option_events(*own, DAY, DAY)) == [event]
    assert list(store.corporate_actions(*own, DAY, DAY)) == [action]
    assert list(store.fx_rates(*own, DAY, DAY)) == [rate]
    (header,) = store.statements(*own)
    assert (header.sections, header.unknown_fields, header.generated_at) == (
        SECTIONS,
        ("Trade.newName",),
        NOON,
    )


def test_what_no_statement_says_is_not_an_empty_answer(stores: Any) -> None:
    """None where no statement has the section, empty where one has it without rows."""
    own = (Venue.IBKR, ACCOUNT)
    assert stores.statements.positions(*own, DAY) is None
    assert stores.statements.covering(*own, DAY, StatementKind.ACTIVITY) is None
    stores.statements.record(statement(sections=("Trades", "OpenPositions")), RECEIVED)
    assert list(stores.statements.positions(*own, DAY)) == []
    assert stores.statements.cash(*own, DAY) is None


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_statement_made_last_counts_in_any_order_of_arrival(stores: Any, order: tuple[int, ...]) -> None:
    """Of three statements of one day, the one that the broker made last has the word."""
    told = [
        statement("a", None, positions=(position("1"),), cash_flows=(flow("7", "-1"),)),
        statement("b", NOON + timedelta(hours=2), positions=(position("3"),), cash_flows=(flow("7", "-3"),)),
        statement("c", NOON, positions=(position("2"),), cash_flows=(flow("7", "-2"),)),
    ]
    for place in order:
        stores.statements.record(told[place], RECEIVED)
    own = (Venue.IBKR, ACCOUNT)
    assert [row.quantity for row in stores.statements.positions(*own, DAY)] == [3]
    assert [row.amount for row in stores.statements.cash_flows(*own, DAY, DAY)] == [-3]
    assert stores.statements.covering(*own, DAY, StatementKind.ACTIVITY).sha256 == "b"
    assert [header.sha256 for header in stores.statements.statements(*own)] == ["a", "c", "b"]


def test_a_later_statement_without_positions_does_not_hide_them(stores: Any) -> None:
    """A section that is not there says nothing."""
    stores.statements.record(statement("a", positions=(position(),)), RECEIVED)
    stores.statements.record(statement("b", NOON + timedelta(hours=1), sections=("Trades",)), RECEIVED)
    assert [row.quantity for row in stores.statements.positions(Venue.IBKR, ACCOUNT, DAY)] == [2]


def test_a_years_statement_covers_its_days_and_tells_the_end_of_the_last(stores: Any) -> None:
    """Positions of a year's statement are those of its last day, not of each."""
    first = date(2026, 1, 1)
    stores.statements.record(statement(from_date=first, positions=(position(),)), RECEIVED)
    own = (Venue.IBKR, ACCOUNT)
    assert stores.statements.covering(*own, date(2026, 3, 3), StatementKind.ACTIVITY) is not None
    assert stores.statements.covering(*own, date(2026, 3, 3), StatementKind.CONFIRMATION) is None
    assert stores.statements.positions(*own, date(2026, 3, 3)) is None


def test_opening_lots_that_are_imported_twice_are_stored_once(stores: Any) -> None:
    """Two equal lots of one file are two lots; the same file again adds none, whatever it is called."""
    lot = OpeningLot(
        venue=Venue.IBKR,
        account=ACCOUNT,
        as_of=DAY,
        instrument=Equity(symbol="MSTR", conid=272110),
        conid=272110,
        quantity=Decimal(284),
        multiplier=Decimal(1),
        currency="USD",
        cost_basis=Decimal("-1234.567890123"),
        open_ts=NOON,
        origin="lots.xml",
    )
    assert stores.statements.add_opening_lots([lot, lot]) == 2
    assert stores.statements.add_opening_lots([replace(lot, origin="again.xml")] * 2) == 0
    assert list(stores.statements.opening_lots(Venue.IBKR, ACCOUNT)) == [lot, lot]
    assert list(stores.statements.opening_lots(Venue.IBKR, "DU2")) == []
