"""Tell a person of breaks that are newly open and of locks that were set, each event once.

An event that is not new is told no more: the check makes none where nothing changed. Alerts are raised before
the events are stored: a kill in between tells one twice (within some minutes its code holds that back), and
never loses one. A live state that is down is logged by the port and stops no check.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading.model.money import canonical
from trading.ports.alerts import Alerts
from trading.reconciliation.breaks import BreakEvent, open_of
from trading.reconciliation.locks import LockEvent

ALERTS_PER_SESSION_MAX = 20  # of one account; a wrong file breaks everything, and one line says so


def alert_open_breaks(alerts: Alerts | None, events: Sequence[BreakEvent]) -> None:
    """One alert for each new event that leaves a break open; the many beyond the bound share one."""
    newly_open = open_of(events)
    if alerts is None or not newly_open:
        return
    for event in newly_open[:ALERTS_PER_SESSION_MAX]:
        alerts.raise_alert(f"break-{event.event_id}", _break_words(event))
    left = newly_open[ALERTS_PER_SESSION_MAX:]
    if left:
        found = left[0].found
        text = f"{len(left)} more open breaks of {found.account} on {found.session}: desk breaks"
        alerts.raise_alert(f"breaks-{left[0].event_id}", text)


def alert_locks(alerts: Alerts | None, events: Iterable[LockEvent]) -> None:
    """One alert for each scope that was locked; a lock that was lifted needs nobody."""
    if alerts is None:
        return
    scopes = {(event.scope, event.scope_key): event for event in events if event.is_active}
    for event in list(scopes.values())[:ALERTS_PER_SESSION_MAX]:
        text = f"entries are refused: {event.scope} {event.scope_key} is locked; {event.reason}"
        alerts.raise_alert(f"lock-{event.lock_id}-{event.sequence}", text)


def _break_words(event: BreakEvent) -> str:
    found = event.found
    about = found.symbol or found.currency
    size = "unknown" if found.difference_base is None else canonical(found.difference_base)
    return (
        f"{found.kind} break {event.break_id} of {found.account} on {found.session}: {about},"
        f" ours {_figure(found.ours)}, theirs {_figure(found.theirs)}, size {size}; {event.made_in}"
    )


def _figure(figure: Decimal | None) -> str:
    return "none" if figure is None else canonical(figure)
