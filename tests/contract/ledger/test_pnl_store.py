"""What every P&L store promises: results by run, one pointer per session, and a chain that recomputes what
changed.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, fee, fill
from reconciled_desk import LAST, Desk

from trading.model.fills import FillKind, Side, Source, Venue
from trading.model.statements import BrokerStatement, DetailLevel, StatementKind, StatementPosition
from trading.ports.clock import Clock
from trading.reconciliation.sign_off import SessionState

MONDAY = date(2026, 7, 20)
TUESDAY = date(2026, 7, 21)
VENUE = Venue.IBKR


class StoppedClock(Clock):
    """A clock that reads the same for ever."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """That moment."""
        return self._at


def _later(fill_id: str, session: date, **changes: object) -> object:
    days = (session - DAY).days
    return fill(fill_id, session=session, trade_date=session, fill_ts=NOON + timedelta(days=days), **changes)


def _three_days(desk: Desk) -> None:
    """Two bought on Friday, one sold on Monday, one on Tuesday, a fee on each."""
    desk.take_batch(
        batch(
            [
                fill("a.01"),
                _later("b.01", MONDAY, side=Side.SELL, quantity=Decimal(1), price=Decimal("0.90")),
                _later("c.01", TUESDAY, side=Side.SELL, quantity=Decimal(1), price=Decimal("0.50")),
            ],
            [fee(f"{name}.01", name, "1.01", session=None) for name in ("a.01", "b.01", "c.01")],
        )
    )


def test_a_result_comes_back_as_it_was_computed(desk: Desk) -> None:
    """Lots, matches, daily rows and cash of a session survive the store exactly."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    result = desk.pnl.result(VENUE, ACCOUNT, MONDAY)
    assert result is not None
    assert [match.realized for match in result.matches] == [Decimal("15.485")]
    assert [(lot.open_quantity, lot.left.fee) for lot in result.lots] == [(1, Decimal("0.505"))]
    assert [(row.position_end, row.fees, row.realized) for row in result.daily] == [
        (1, Decimal("1.01"), Decimal("15.485"))
    ]
    assert sum(entry.amount for entry in result.cash) == Decimal("88.99")


def test_a_book_is_that_of_the_last_session_at_or_before(desk: Desk) -> None:
    """Between sessions the book of the earlier one stands; before the first there is none."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    before = desk.pnl.book(VENUE, ACCOUNT, DAY - timedelta(days=1))
    weekend = desk.pnl.book(VENUE, ACCOUNT, DAY + timedelta(days=1))
    last = desk.pnl.book(VENUE, ACCOUNT, LAST)
    assert before is None
    assert weekend is not None and weekend.position("OPT:CZR   260821C00030000") == 2
    assert last is not None and last.lots == () and last.session == TUESDAY


def test_the_same_facts_compute_nothing(desk: Desk) -> None:
    """Run ids are hashes of the inputs."""
    _three_days(desk)
    assert desk.compute(ACCOUNT).computed == (DAY, MONDAY, TUESDAY)
    again = desk.compute(ACCOUNT)
    assert (again.computed, again.unchanged) == ((), 3)


def test_a_changed_session_is_computed_again_with_all_later_ones(desk: Desk) -> None:
    """A fee that comes late changes its own session and those after it, and no earlier one."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    friday = desk.pnl.result(VENUE, ACCOUNT, DAY)
    desk.take_batch(batch([], [fee("b.01.99", "b.01", "0.25", session=MONDAY)]))
    assert desk.compute(ACCOUNT).computed == (MONDAY, TUESDAY)
    monday = desk.pnl.result(VENUE, ACCOUNT, MONDAY)
    assert desk.pnl.result(VENUE, ACCOUNT, DAY) == friday
    assert monday is not None and monday.matches[0].realized == Decimal("15.235")


def test_a_session_without_facts_any_more_is_withdrawn(desk: Desk) -> None:
    """A correction moves the only fill of a day to the next: the first day has no result then."""
    desk.take_batch(batch([fill("a.01")]))
    desk.compute(ACCOUNT)
    desk.take_batch(batch([_later("a.01", MONDAY, revision=2)]))
    report = desk.compute(ACCOUNT)
    assert (report.computed, report.withdrawn) == ((MONDAY,), (DAY,))
    assert desk.pnl.result(VENUE, ACCOUNT, DAY) is None
    assert [run.session for run in desk.pnl.runs(VENUE, ACCOUNT)] == [MONDAY]


def test_what_was_computed_last_counts_under_a_clock_that_was_set_back(desk: Desk) -> None:
    """Also where it reads the same twice: of a session, and of one that is taken back."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    before = desk.pnl.result(VENUE, ACCOUNT, MONDAY)
    assert before is not None
    late, realized = desk.clock.now(), before.matches[0].realized
    for number, at in enumerate((late, late, late - timedelta(hours=1)), start=1):
        desk.clock = StoppedClock(at)
        desk.take_batch(batch([], [fee(f"b.01.9{number}", "b.01", "0.25", session=MONDAY)]))
        assert desk.compute(ACCOUNT).computed == (MONDAY, TUESDAY)
        assert desk.compute(ACCOUNT).computed == ()
        monday = desk.pnl.result(VENUE, ACCOUNT, MONDAY)
        assert monday is not None and monday.matches[0].realized == realized - number * Decimal("0.25")
    desk.pnl.withdraw(VENUE, ACCOUNT, [TUESDAY], late - timedelta(days=1))
    assert [run.session for run in desk.pnl.runs(VENUE, ACCOUNT)] == [DAY, MONDAY]
    assert desk.compute(ACCOUNT).computed == (TUESDAY,)


def test_results_without_their_pointer_are_not_seen(desk: Desk) -> None:
    """A kill between results and pointer leaves nothing visible, and the next run writes the same."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    desk.pnl.withdraw(VENUE, ACCOUNT, [MONDAY, TUESDAY], desk.clock.now())
    assert desk.pnl.result(VENUE, ACCOUNT, TUESDAY) is None
    assert desk.compute(ACCOUNT).computed == (MONDAY, TUESDAY)
    result = desk.pnl.result(VENUE, ACCOUNT, TUESDAY)
    assert result is not None and [match.realized for match in result.matches] == [Decimal("-24.515")]


def test_a_bust_reverses_position_and_result_and_keeps_the_history(desk: Desk) -> None:
    """A cancel that comes later takes the fill out of the book and its fee stays a cost."""
    told = fill("a.01", trade_id="T1", transaction_id="10", source=Source.STATEMENT)
    desk.take_batch(batch([told], [fee("a.01.01", "a.01", "1.01")]))
    desk.compute(ACCOUNT)
    cancel = fill(
        "flex:11", kind=FillKind.CANCEL, revision=0, transaction_id="11", cancels_trade_id="T1",
        source=Source.STATEMENT,
    )  # fmt: skip
    desk.take_batch(batch([cancel]))
    desk.compute(ACCOUNT)
    book = desk.pnl.book(VENUE, ACCOUNT, LAST)
    assert book is not None and book.lots == ()
    assert book.cash == {"USD": Decimal("-1.01")}
    assert len(desk.fills.revisions(VENUE, ACCOUNT, "a.01")) == 1


def test_cash_moved_leaves_opening_balances_out_and_counts_both_ends(desk: Desk) -> None:
    """The sum over a range of sessions, by currency."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    assert desk.pnl.cash_moved(VENUE, ACCOUNT, MONDAY, TUESDAY) == {"USD": Decimal("137.98")}
    assert desk.pnl.cash_moved(VENUE, ACCOUNT, LAST, LAST) == {}


def test_several_sessions_at_once_are_each_session_by_itself(desk: Desk) -> None:
    """Results and what was told, asked together, are those of each session; one without facts has none."""
    _three_days(desk)
    desk.compute(ACCOUNT)
    days = [MONDAY, TUESDAY, LAST]
    alone = {day: desk.pnl.result(VENUE, ACCOUNT, day) for day in days}
    found = desk.pnl.results(VENUE, ACCOUNT, days)
    assert {day: found.get(day) for day in days} == alone
    assert alone[MONDAY] is not None and alone[MONDAY] != alone[TUESDAY]
    told = desk.breaks.told_of(VENUE, ACCOUNT, days)
    assert told == {day: desk.breaks.told(VENUE, ACCOUNT, day) for day in days}
    assert told[MONDAY].revisions and not told[LAST].revisions


def test_accounts_do_not_see_each_other(desk: Desk) -> None:
    """Another account's fills are another chain."""
    _three_days(desk)
    desk.take_batch(batch([fill("z.01", account="DU2")]))
    desk.compute(ACCOUNT)
    desk.compute("DU2")
    assert len(desk.pnl.runs(VENUE, ACCOUNT)) == 3
    assert len(desk.pnl.runs(VENUE, "DU2")) == 1


def test_a_statement_that_ends_on_a_sunday_marks_the_friday(desk: Desk) -> None:
    """Its positions are those of the last session, and its marks value them."""
    told = fill("a.01", source=Source.STATEMENT)
    sunday = DAY + timedelta(days=2)
    position = StatementPosition(
        account=ACCOUNT,
        report_date=sunday,
        instrument=told.instrument,
        conid=told.conid,
        level=DetailLevel.SUMMARY,
        quantity=Decimal(2),
        multiplier=Decimal(100),
        currency="USD",
        mark_price=Decimal("0.80"),
        cost_basis=None,
    )
    statement = BrokerStatement(
        venue=VENUE,
        account=ACCOUNT,
        kind=StatementKind.ACTIVITY,
        query_name="q",
        from_date=DAY,
        to_date=sunday,
        generated_at=RECEIVED,
        base_currency="USD",
        sha256="0" * 64,
        batch=batch([told], source=Source.STATEMENT),
        positions=(position,),
        sections=("Trades", "OpenPositions"),
    )
    desk.take_statement(statement)
    (report,) = desk.reconcile(ACCOUNT)
    result = desk.pnl.result(VENUE, ACCOUNT, DAY)
    assert report.sign_off.state is SessionState.RECONCILED
    assert result is not None
    assert [(row.mark_price, row.unrealized) for row in result.daily] == [(Decimal("0.80"), Decimal(14))]
