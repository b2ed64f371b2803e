"""What a session remembers of its alerts has a bound, whatever codes come."""

from datetime import UTC, datetime

from adapters.ibkr.session.alerts import KINDS_MAX, Alerts

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)


def test_codes_without_end_are_remembered_within_a_bound() -> None:
    """Of a message of a new kind each time, told twice: the oldest is forgotten with its count."""
    alerts = Alerts()
    for number in range(3 * KINDS_MAX):
        for _ in range(2):
            alerts.raised(f"undecodable_{number}", "no number", NOON)
    assert len(alerts._told_at) == len(alerts._held_back) == KINDS_MAX
