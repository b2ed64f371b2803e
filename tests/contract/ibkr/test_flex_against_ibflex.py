"""Our reading of the recorded statements against that of ibflex, which drops what it does not know."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibflex
import pytest

from adapters.ibkr.flex import parse_flex
from trading.model.fills import FillRevision
from trading.model.statements import BrokerStatement

NEW_YORK = ZoneInfo("America/New_York")
FILES = ("activity.xml", "today.xml", "annual-2025.xml")


def both(shared_data: Path, name: str) -> tuple[BrokerStatement, Any]:
    path = shared_data / "ibkr-flex" / name
    (ours,) = parse_flex(path.read_bytes(), name)
    (theirs,) = ibflex.parser.parse(str(path)).FlexStatements
    return ours, theirs


@pytest.mark.parametrize("name", FILES)
def test_every_trade_has_the_same_values(shared_data: Path, name: str) -> None:
    """Quantity, price, time, dates, ids and money of each row are equal, in the file's order."""
    ours, theirs = both(shared_data, name)
    rows = theirs.Trades or theirs.TradeConfirms
    assert len(ours.batch.fills) == len(rows)
    for fill, row in zip(ours.batch.fills, rows, strict=True):
        assert (fill.signed_quantity, fill.multiplier) == (row.quantity, row.multiplier)
        assert fill.price == (row.tradePrice if row.tradePrice is not None else row.price)
        assert fill.fill_ts.astimezone(NEW_YORK).replace(tzinfo=None) == row.dateTime
        assert (fill.trade_date, fill.report_date) == (row.tradeDate, row.reportDate)
        assert fill.exec_id == (row.ibExecID or getattr(row, "execID", None) or "")
        assert fill.transaction_id == (row.transactionID or "")
        assert fill.trade_id == (row.tradeID or "")
        assert (str(fill.conid), fill.currency) == (row.conid, row.currency)
        assert (fill.broker_realized, fill.broker_cost) == (row.fifoPnlRealized, row.cost)
        _assert_same_contract(fill, row)


def _assert_same_contract(fill: FillRevision, row: Any) -> None:
    option = fill.instrument
    if option.asset_class == "option":
        assert (getattr(option, "strike", None), getattr(option, "expiry", None)) == (row.strike, row.expiry)
        assert getattr(option, "right", None) == row.putCall.value
        assert getattr(option, "occ", None) == row.symbol


@pytest.mark.parametrize("name", FILES)
def test_commissions_and_taxes_sum_to_the_same(shared_data: Path, name: str) -> None:
    """The sum over all fees is minus the sum of the rows' commissions and taxes, exactly."""
    ours, theirs = both(shared_data, name)
    rows = theirs.Trades or theirs.TradeConfirms
    told = sum(
        (row.ibCommission if row.ibCommission is not None else row.commission) + (row.taxes or 0)
        for row in rows
    )
    assert sum(fact.amount for fact in ours.batch.commissions) == -told


def test_positions_are_the_same(shared_data: Path) -> None:
    """All 74 rows of the year: quantity, mark, basis, level, opening time."""
    ours, theirs = both(shared_data, "annual-2025.xml")
    assert len(ours.positions) == len(theirs.OpenPositions) == 74
    for position, row in zip(ours.positions, theirs.OpenPositions, strict=True):
        assert (position.quantity, position.mark_price) == (row.position, row.markPrice)
        assert (position.cost_basis, position.level) == (row.costBasisMoney, row.levelOfDetail)
        opened = position.open_ts.astimezone(NEW_YORK).replace(tzinfo=None) if position.open_ts else None
        assert opened == row.openDateTime


def test_cash_is_the_same(shared_data: Path) -> None:
    """Cash reports line by line, cash transactions row by row."""
    ours, theirs = both(shared_data, "annual-2025.xml")
    for balance, report in zip(ours.cash, theirs.CashReport, strict=True):
        assert (balance.currency, balance.starting, balance.ending) == (
            report.currency,
            report.startingCash,
            report.endingCash,
        )
        assert all(getattr(report, name) == amount for name, amount in balance.lines)
    for flow, row in zip(ours.cash_flows, theirs.CashTransactions, strict=True):
        kind = flow.kind.replace(
            "Deposits/Withdrawals", "Deposits & Withdrawals"
        )  # the broker's two spellings
        assert (flow.amount, flow.currency, kind) == (row.amount, row.currency, row.type.value)
        assert (flow.report_date, flow.settle_date, flow.level) == (
            row.reportDate,
            row.settleDate,
            row.levelOfDetail,
        )


def test_option_events_are_the_same(shared_data: Path) -> None:
    """All five: kind, quantity, marks, the broker's realized figure."""
    ours, theirs = both(shared_data, "activity.xml")
    for event, row in zip(ours.option_events, theirs.OptionEAE, strict=True):
        assert (event.quantity, event.price, event.mark_price) == (
            row.quantity,
            row.tradePrice,
            row.markPrice,
        )
        assert (event.realized, event.event_date, event.trade_id) == (row.realizedPnl, row.date, row.tradeID)
        assert isinstance(event.realized, Decimal)
