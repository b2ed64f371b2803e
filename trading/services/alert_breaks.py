"""Tell a person of breaks that are newly open and of scopes that are locked, and that they are it no more.

An event that is not new is told no more: the check makes none where nothing changed. Alerts are raised and
ended before the events are stored: a kill in between does it again, which is nothing new, and never loses
one. A live state that is down is minded by the port and stops no check.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from trading.model.money import canonical
from trading.ports.alerts import Alerts
from trading.ports.break_store import BreakStore
from trading.reconciliation.breaks import BreakEvent, BreakState, Pass, open_of
from trading.reconciliation.locks import LockEvent

ALERTS_PER_SESSION_MAX = 20  # of one account; a wrong file breaks everything, and one line says so
ENDS_PER_CALL_MAX = 1_000  # of a session; what was beyond the bound above was never told one by one


def alert_open_breaks(
    alerts: Alerts | None, events: Sequence[BreakEvent], standing: Iterable[BreakEvent] = ()
) -> None:
    """One alert for each new event that leaves a break open; the many beyond the bound share one.

    `standing` are the session's breaks as they are now.
    """
    if alerts is None or not events:
        return
    newly_open = open_of(events)
    for event in newly_open[:ALERTS_PER_SESSION_MAX]:
        alerts.raise_alert(code_of(event), _break_words(event))
    left = newly_open[ALERTS_PER_SESSION_MAX:]
    if left:
        found = left[0].found
        text = f"{len(left)} more open breaks of {found.account} on {found.session}: desk breaks"
        alerts.raise_alert(_rest(left[0]), text)
    end_breaks(alerts, events, standing)


def end_breaks(alerts: Alerts, events: Sequence[BreakEvent], standing: Iterable[BreakEvent] = ()) -> None:
    """End the alerts of breaks that are open no more, and the shared one with the session's last."""
    ended = [event for event in events if event.state is not BreakState.OPEN][:ENDS_PER_CALL_MAX]
    still_open = {_rest(event) for event in standing if event.state is BreakState.OPEN}
    for event in ended:
        alerts.end_alert(code_of(event), f"the break is {event.state}")
    for rest in {_rest(event) for event in ended} - still_open:
        alerts.end_alert(rest, "no break of the session is open")


def alert_locks(alerts: Alerts | None, events: Sequence[LockEvent], active: Iterable[LockEvent] = ()) -> None:
    """One alert for each scope that was locked, ended when none of the `active` locks is its any more."""
    if alerts is None:
        return
    for scope, event in list(_scopes(events, is_active=True).items())[:ALERTS_PER_SESSION_MAX]:
        text = f"entries are refused: {event.scope} {event.scope_key} is locked; {event.reason}"
        alerts.raise_alert(scope, text)
    locked = _scopes(active, is_active=True)
    for scope, event in _scopes(events, is_active=False).items():
        if scope not in locked:
            alerts.end_alert(scope, f"nothing locks it; {event.reason}")


def locked_after(breaks: BreakStore, events: Iterable[LockEvent]) -> Sequence[LockEvent]:
    """Every lock that is active once these events are stored."""
    known = {lock.break_id: lock for lock in breaks.locks()}
    known |= {event.break_id: event for event in events}
    return [lock for lock in known.values() if lock.is_active]


def code_of(event: BreakEvent) -> str:
    """The code of a break's alert."""
    return f"{'live_position' if event.made_in is Pass.LIVE else 'break'}-{event.break_id}"


def _scopes(events: Iterable[LockEvent], *, is_active: bool) -> dict[str, LockEvent]:
    found = (event for event in events if event.is_active is is_active)
    return {f"lock-{event.scope}-{event.scope_key}": event for event in found}


def _rest(event: BreakEvent) -> str:
    return f"breaks-{event.found.venue}-{event.found.account}-{event.found.session}"


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
