"""Two real statements through the services on every store: the same ledger of breaks, and a second run adds
nothing.
"""

from decimal import Decimal
from pathlib import Path

from reconciled_desk import Desk

from trading.reconciliation.sign_off import SessionState

ACCOUNT = "DU1234567"


def test_two_real_statements_end_in_the_same_ledger(desk: Desk, shared_data: Path) -> None:
    """Breaks, sign-offs and run ids of the real days, whatever keeps them."""
    for name in ("activity.xml", "today.xml"):
        desk.take(shared_data / "ibkr-flex" / name)
    first = desk.reconcile(ACCOUNT)
    found = [(event.found.kind, event.found.difference, event.found.cause) for event in desk.breaks.breaks()]
    assert found == [
        ("missing_history", Decimal(-4), "missing_history"),
        ("missing_history", Decimal(-4), "missing_history"),
        ("realized", Decimal("12.63092"), "missing_history"),
    ]
    assert [word.state for word in desk.breaks.sign_offs()].count(SessionState.RECONCILED) == 5
    second = desk.reconcile(ACCOUNT)
    assert [report.sign_off for report in second] == [report.sign_off for report in first]
    assert [event for report in second for event in report.new_events] == []
    assert desk.compute(ACCOUNT).computed == ()
