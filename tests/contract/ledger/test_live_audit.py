"""The live capture against statements and hours on a real warehouse: what each check says of which fault."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from fill_samples import ACCOUNT, DAY, NOON, RECEIVED, batch, fill
from reconciled_desk import Desk

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.live_audit import ClickHouseLiveAudit
from adapters.clickhouse.quality_history import ClickHouseQualityHistory
from trading.model.broker import BrokerEvent, BrokerEventKind, OutboxEntry
from trading.model.fills import CoverageInterval, FillKind, FillRevision, Source, Venue
from trading.model.statements import BrokerStatement, StatementKind
from trading.ports.clock import Clock
from trading.ports.model_runner import SessionRange, Severity
from trading.services.check_live import (
    LiveCheckTools,
    check_clock,
    check_coverage,
    check_live_equals_statement,
    holes_before_and_after,
)

MIDNIGHT = datetime(2026, 7, 17, 4, 0, tzinfo=UTC)
EVENING = datetime(2026, 7, 17, 21, 0, tzinfo=UTC)
DAYS = SessionRange(first=DAY, last=DAY)


class _Now(Clock):
    def now(self) -> datetime:
        return RECEIVED


@pytest.fixture
def tools(warehouse: Warehouse) -> LiveCheckTools:
    """The checks on an empty warehouse."""
    return LiveCheckTools(
        audit=ClickHouseLiveAudit(warehouse),
        events=ClickHouseBrokerEventStore(warehouse),
        history=ClickHouseQualityHistory(warehouse),
        clock=_Now(),
        speed=1,
        due_within=timedelta(minutes=2),
        clock_skew_max_ms=3000,
    )


def _heard(desk: Desk, *fills: FillRevision, until: datetime = EVENING) -> None:
    """Fills heard live, and an answer of the broker that covers the day until then."""
    interval = CoverageInterval(
        venue=Venue.IBKR, account=ACCOUNT, source=Source.SAME_DAY, start=MIDNIGHT, end=until
    )
    desk.take_batch(batch(fills, coverage=(interval,)))


def _stated(desk: Desk, *fills: FillRevision) -> None:
    """The Activity statement of the day with these trades."""
    day = CoverageInterval(
        venue=Venue.IBKR, account=ACCOUNT, source=Source.STATEMENT, start=MIDNIGHT,
        end=MIDNIGHT + timedelta(days=1),
    )  # fmt: skip
    told = batch(fills, source=Source.STATEMENT, coverage=(day,))
    desk.take_statement(
        BrokerStatement(
            venue=Venue.IBKR, account=ACCOUNT, kind=StatementKind.ACTIVITY, query_name="", from_date=DAY,
            to_date=DAY, generated_at=None, base_currency="USD", sha256="s",
            batch=told,
        )
    )  # fmt: skip


def _stated_fill(fill_id: str = "a.01", **changes: object) -> FillRevision:
    return fill(fill_id, source=Source.STATEMENT, **changes)


def test_live_and_statement_that_say_the_same_pass(server_desk: Desk, tools: LiveCheckTools) -> None:
    """Every fill on both sides; a booking and a fill without execution id are the statement's alone."""
    _heard(server_desk, fill("a.01"))
    booked = _stated_fill("flex:9", kind=FillKind.BOOKING, exec_id="", transaction_id="9")
    _stated(server_desk, _stated_fill(), booked)
    result = check_live_equals_statement(tools, DAYS)
    assert (result.passed, result.sample) == (True, ())


@pytest.mark.parametrize(
    ("heard", "stated", "fault"),
    [
        ([], [_stated_fill()], "missing"),
        ([fill("a.01"), fill("b.01")], [_stated_fill()], "not_in_statement"),
        ([fill("a.01")], [_stated_fill(price=Decimal("0.74"))], "differs"),
        ([fill("a.01")], [_stated_fill(revision=2, quantity=Decimal(1))], "differs"),
    ],
)
def test_what_both_tell_differently_is_an_error(
    server_desk: Desk,
    tools: LiveCheckTools,
    heard: list[FillRevision],
    stated: list[FillRevision],
    fault: str,
) -> None:
    """Not told live although the hour was covered, not in the statement, other figures."""
    _heard(server_desk, *heard)
    _stated(server_desk, *stated)
    result = check_live_equals_statement(tools, DAYS)
    assert (result.passed, result.failing_rows, result.rule.severity) == (False, 1, Severity.ERROR)
    assert fault in result.sample[0]


def test_a_fill_in_a_hole_only_warns(server_desk: Desk, tools: LiveCheckTools) -> None:
    """Nobody could hear it: the last answer was before it."""
    _heard(server_desk, until=NOON)
    _stated(server_desk, _stated_fill())
    result = check_live_equals_statement(tools, DAYS)
    assert (result.passed, result.rule.severity) == (False, Severity.WARN)
    assert "in a hole" in result.sample[0]


def test_a_session_that_nobody_listened_to_is_not_compared(server_desk: Desk, tools: LiveCheckTools) -> None:
    """A desk that imports statements has no live capture to blame; nor is a session without its statement."""
    _stated(server_desk, _stated_fill())
    assert check_live_equals_statement(tools, DAYS).passed
    assert check_coverage(tools, DAYS).passed
    _heard(server_desk, fill("b.01", session=date(2026, 7, 20), fill_ts=NOON + timedelta(days=3)))
    assert check_live_equals_statement(tools, None).passed is False  # DAY is listened to now
    assert check_live_equals_statement(tools, SessionRange(first=DAY, last=DAY)).failing_rows == 1


def test_holes_warn_until_the_statement_closes_them(server_desk: Desk, tools: LiveCheckTools) -> None:
    """Before: four hours that nobody told; after it landed: none, and what the live capture left is seen."""
    _heard(server_desk, until=NOON)
    result = check_coverage(tools, DAYS)
    assert (result.passed, result.rule.severity) == (False, Severity.WARN)
    assert result.sample == (f"{ACCOUNT} {DAY}: 16:00:00 to 20:15:00 UTC",)
    _stated(server_desk)
    assert check_coverage(tools, DAYS).passed
    before, after = holes_before_and_after(tools, DAYS)
    assert [item.hole_seconds for item in before] == [4.25 * 3600]
    assert [item.hole_seconds for item in after] == [0]


def test_the_clock_is_judged_by_its_newest_reading(tools: LiveCheckTools) -> None:
    """Within the setting it passes, beyond it fails; no reading, no disagreement."""
    assert check_clock(tools).passed
    for number, (skew, passed) in enumerate(((2500, True), (-3500, False), (0, True)), start=1):
        at = RECEIVED - timedelta(minutes=10 - number)
        event = BrokerEvent(
            kind=BrokerEventKind.ANSWER, heard_at=at, broker_at=at,
            payload={"question": "clock", "completeness": "complete", "skew_ms": skew, "rows": []},
        )  # fmt: skip
        entry = OutboxEntry(
            stream="s", entry_id=f"{int(at.timestamp() * 1000)}-0", epoch="e", sequence=number, event=event
        )
        assert isinstance(tools.events, ClickHouseBrokerEventStore)
        tools.events.record([entry], [], at)
        assert check_clock(tools).passed is passed


def test_what_was_found_is_kept(warehouse: Warehouse, tools: LiveCheckTools) -> None:
    """Each check leaves a row of history."""
    check_clock(tools)
    rows = warehouse.rows("select rule, passed from audit.quality_results")
    assert rows == [{"rule": "clock_is_the_brokers", "passed": True}]
