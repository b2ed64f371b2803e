"""What happens to executions afterwards: corrections, busts, commissions, expiry, delivery; and the books."""

from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from simulated_broker import ACCOUNT, SESSION, Desk, executions

from simulation.broker.model import Commissioned, Executed
from simulation.sample_desk.journal import Journal


@pytest.fixture
def desk() -> Desk:
    """A broker half an hour after the opening."""
    return Desk()


def _position(desk: Desk) -> Decimal:
    return desk.broker.ledgers[ACCOUNT].position(desk.option().conid)


def test_a_correction_is_the_next_revision_and_replaces(desk: Desk) -> None:
    """Quantity and price come anew under revision 02; the position is that of the last revision."""
    desk.order("BUY", 4)
    first = executions(desk.said)[0].execution
    before = _position(desk)
    said = desk.broker.correct(first.exec_id, quantity=first.quantity - 1, now=desk.now)
    again = executions(said)[0].execution
    assert again.exec_id == f"{first.exec_id[:-2]}02"
    assert (again.quantity, again.price, again.at) == (first.quantity - 1, first.price, first.at)
    assert _position(desk) == before - 1
    third = executions(desk.broker.correct(again.exec_id, price=Decimal("9.99"), now=desk.now))[0].execution
    assert third.exec_id.endswith(".03") and third.price == Decimal("9.99")


def test_fees_of_a_correction_add_up_to_the_fee_of_what_stands(desk: Desk) -> None:
    """The report of the new revision is the difference, so a sum is right and a replacement is wrong."""
    desk.order("BUY", 4)
    first = executions(desk.said)[0].execution
    desk.broker.correct(first.exec_id, quantity=Decimal(1), now=desk.now)
    reports = [report for _, report in desk.broker.executions(desk.now) if report is not None]
    own = [item.amount for item in reports if item.exec_id.startswith(first.exec_id[:-2])]
    journal = desk.broker.journal()
    (fill,) = [row for row in journal.fills if row["fill_id"] == first.exec_id[:-3]]
    assert len(own) == 2 and own[1] < 0
    assert sum(own) == Decimal(fill["fees"]["USD"])


def test_the_executions_answer_has_all_revisions_of_the_day(desk: Desk) -> None:
    """Both prints of a correction; none of the day before."""
    desk.order("BUY", 1)
    desk.broker.correct(executions(desk.said)[0].execution.exec_id, price=Decimal("1.50"), now=desk.now)
    assert [view.exec_id[-2:] for view, _ in desk.broker.executions(desk.now)] == ["01", "02"]
    tomorrow = desk.now + timedelta(days=1)
    assert desk.broker.executions(tomorrow) == []


def test_a_bust_takes_the_position_and_the_fee_back_in_silence(desk: Desk) -> None:
    """Nothing is told; the position, the cash and the journal say it."""
    desk.order("BUY", 1)
    exec_id = executions(desk.said)[0].execution.exec_id
    assert desk.broker.bust(exec_id, desk.now) == []
    assert not desk.broker.positions()
    (fill,) = desk.broker.journal().fills
    assert fill["busted"] and fill["fees"] == {}
    with pytest.raises(ValueError, match="expected an execution that stands"):
        desk.broker.correct(exec_id, price=Decimal(1), now=desk.now)


@pytest.mark.parametrize("exec_id", ["", "nonsense", "0000.1111.01.01"])
def test_only_executions_of_the_session_can_be_changed(desk: Desk, exec_id: str) -> None:
    """The error names the id."""
    with pytest.raises(ValueError, match="expected an execution of this session"):
        desk.broker.correct(exec_id, price=Decimal(1), now=desk.now)


def test_a_correction_of_what_was_closed_books_the_session_again(desk: Desk) -> None:
    """Profit follows the corrected price, as it does in the statement."""
    desk.order("BUY", 1)
    desk.order("SELL", 1)
    bought, sold = (item.execution for item in executions(desk.said))
    before = desk.broker.ledgers[ACCOUNT].realized()
    desk.broker.correct(bought.exec_id, price=bought.price + 1, now=desk.now)
    assert desk.broker.ledgers[ACCOUNT].realized() == before - 100
    assert sold.price < bought.price + 1


def test_late_commissions_are_told_when_they_are_due_and_not_before(desk: Desk) -> None:
    """Neither live nor in the executions answer; then both."""
    desk.broker.behave(desk.now, commission_delay=timedelta(seconds=120))
    desk.order("BUY", 1)
    assert not [item for item in desk.said if isinstance(item, Commissioned)]
    assert [report for _, report in desk.broker.executions(desk.now)] == [None]
    said = desk.wait(121)
    assert [type(item) for item in said] == [Commissioned]
    assert [report is not None for _, report in desk.broker.executions(desk.now)] == [True]


def test_a_commission_that_never_comes_is_in_the_statement(desk: Desk) -> None:
    """The truth has the fee, the API does not."""
    desk.broker.behave(desk.now, commission_never=True)
    desk.order("BUY", 1)
    desk.wait(3_600)
    assert not [item for item in desk.said if isinstance(item, Commissioned)]
    (fill,) = desk.broker.journal().fills
    assert Decimal(fill["fees"]["USD"]) > 0


def test_the_profit_of_a_closing_is_told_and_can_be_missing(desk: Desk) -> None:
    """Openings never have one, closings do unless the broker leaves it out."""
    desk.order("BUY", 2)
    desk.order("SELL", 1)
    desk.broker.behave(desk.now, realized_unset=True)
    desk.order("SELL", 1)
    told = [item.report.realized for item in desk.said if isinstance(item, Commissioned)]
    assert [value is not None for value in told] == [False, True, False]


def test_a_rebate_is_a_negative_commission(desk: Desk) -> None:
    """The exchange pays us."""
    desk.broker.behave(desk.now, commission_rebate=True)
    said = desk.place(desk.ticket("BUY", 1))
    (report,) = [item.report for item in said if isinstance(item, Commissioned)]
    assert report.amount < 0


def test_the_order_of_telling_can_be_wrong(desk: Desk) -> None:
    """Filled before its execution; an execution before its order."""
    desk.broker.behave(desk.now, filled_first=True)
    assert [type(item).__name__ for item in desk.place(desk.ticket())][1:3] == ["OrderTold", "Executed"]
    desk.broker.behave(desk.now, filled_first=False, execution_first=True, cumulative_off=Decimal(2))
    (first, *_) = desk.place(desk.ticket())
    assert isinstance(first, Executed) and first.execution.cumulative == 3


def test_a_wrong_switch_is_named(desk: Desk) -> None:
    """What is no switch is an error and not a new attribute."""
    with pytest.raises(ValueError, match=r"conduct: expected one of .*, was commisions"):
        desk.broker.behave(desk.now, commisions=True)


def test_options_end_at_the_booking_without_an_execution(desk: Desk) -> None:
    """In the money they become shares, out of the money nothing; the API tells positions only."""
    deep, far = desk.option(660), desk.option(690)
    desk.order("BUY", 2, contract=deep)
    desk.order("BUY", 3, contract=far)
    desk.wait(60)
    told = len(desk.broker.executed.told)
    desk.heard(desk.broker.close_session(SESSION))
    assert {item.contract.symbol: item.quantity for item in desk.broker.positions()} == {"SPY": 200}
    assert len(desk.broker.executed.told) == told
    kinds = sorted(row["kind"] for row in desk.broker.journal().fills)
    assert kinds.count("booking") == 3  # an expiry, an exercise, a delivery


def test_an_early_exercise_moves_positions_silently(desk: Desk) -> None:
    """Half of a held call becomes shares at once."""
    desk.order("BUY", 4, contract=desk.option(660))
    desk.wait(30)
    conid = desk.option(660).conid
    assert desk.broker.move_position_silently(ACCOUNT, conid, Decimal(2), desk.now) == []
    held = {item.contract.symbol.strip(): item.quantity for item in desk.broker.positions()}
    assert held == {"SPY   261113C00660000": 2, "SPY": 200}
    with pytest.raises(ValueError, match="expected part of a held option"):
        desk.broker.move_position_silently(ACCOUNT, conid, Decimal(5), desk.now)


def test_the_statement_adds_up_to_the_journal(desk: Desk) -> None:
    """Trade rows sum to the fills, positions and cash are the evening's, and fees add."""
    desk.order("BUY", 4)
    desk.order("SELL", 2)
    exec_id = executions(desk.said)[0].execution.exec_id
    desk.broker.correct(exec_id, quantity=Decimal(1), now=desk.now)
    desk.heard(desk.broker.close_session(SESSION))
    root = ElementTree.fromstring(desk.broker.statement(ACCOUNT, SESSION))
    rows = [row for row in root.iter("Trade") if row.get("assetCategory") == "OPT"]
    journal: Journal = desk.broker.journal()
    fills = [row for row in journal.fills if row["instrument_id"].startswith("OPT")]
    signed = {"BUY": 1, "SELL": -1}
    assert sum(Decimal(row.get("quantity", "0")) for row in rows) == sum(
        Decimal(row["quantity"]) * signed[row["side"]] for row in fills
    )
    fees = sum(Decimal(row["fees"].get("USD", "0")) for row in fills)
    assert -sum(Decimal(row.get("ibCommission", "0")) for row in rows) == fees
    (cash,) = [row for row in root.iter("CashReportCurrency") if row.get("currency") == "USD"]
    assert cash.get("endingCash") == next(row["ending"] for row in journal.cash)
    confirms = ElementTree.fromstring(desk.broker.confirmation(ACCOUNT, SESSION)).iter("TradeConfirm")
    assert {row.get("execID") for row in confirms} >= {exec_id, f"{exec_id[:-2]}02"}


def test_a_statement_can_disagree_with_the_truth(desk: Desk) -> None:
    """Dollars too many, a trade too few; the journal says what is true."""
    desk.order("BUY", 1)
    right = desk.broker.statement(ACCOUNT, SESSION)
    desk.broker.behave(desk.now, statement_cash_off=Decimal("12.5"), statement_omits_last=True)
    wrong = desk.broker.statement(ACCOUNT, SESSION)
    assert (right.count("<Trade "), wrong.count("<Trade ")) == (1, 0)
    ending = Decimal(desk.broker.journal().cash[0]["ending"])
    assert f'endingCash="{ending}"' in right and f'endingCash="{ending + Decimal("12.5")}"' in wrong


def test_a_session_nobody_lived_has_no_statement(desk: Desk) -> None:
    """The error names the session; a journal has only what has begun."""
    with pytest.raises(ValueError, match="session: expected one up to 2026-11-13"):
        desk.broker.statement(ACCOUNT, desk.world.sessions[1])
    desk.heard(desk.broker.close_session(SESSION))
    assert desk.broker.journal().sessions == ("2026-11-13",)


def test_account_values_have_the_real_names_and_add_up(desk: Desk, shared_data) -> None:  # type: ignore[no-untyped-def]
    """Every name is one that a real account has told, and net liquidation is cash plus positions."""
    import json

    real = {row["tag"] for row in json.loads((shared_data / "ibkr-ticks/account_values.json").read_text())}
    desk.order("SELL", 3)
    values = desk.broker.account_values(ACCOUNT, desk.now)
    ours = {name for name, _, _ in values}
    assert ours - real <= {"GrossPositionValue", "RealizedPnL", "StockMarketValue", "UnrealizedPnL"}
    figures = {name: Decimal(value) for name, value, currency in values if currency == "USD"}
    worth = figures["TotalCashValue"] + figures["OptionMarketValue"] + figures["StockMarketValue"]
    assert abs(worth - figures["NetLiquidation"]) <= Decimal("0.02")
    assert figures["InitMarginReq"] > 0 and figures["AvailableFunds"] < figures["NetLiquidation"] + 1_000
    pnl = desk.broker.pnl(ACCOUNT, desk.now)
    single = desk.broker.pnl_single(ACCOUNT, desk.option().conid, desk.now)
    assert pnl.unrealized == single.unrealized and single.quantity == -3
