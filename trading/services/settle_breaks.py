"""What a person does with breaks and locks: explain, close, lift. Each says who and why, and nothing is ever
erased.
"""

from collections.abc import Callable
from datetime import datetime

from trading.errors import InvalidFieldError
from trading.reconciliation.breaks import BreakEvent, closed_by, explained
from trading.reconciliation.locks import LockEvent, lifted_by, next_lock_events
from trading.reconciliation.sign_off import sign_off_of
from trading.services.alert_breaks import alert_locks, alert_open_breaks, locked_after
from trading.services.reconcile_session import ReconcileStores
from trading.services.rewrite_live_state import rebuild_locks
from trading.settings import ReconciliationSettings

Step = Callable[[BreakEvent, str, str, datetime], BreakEvent]


def explain_break(
    stores: ReconcileStores, settings: ReconciliationSettings, break_id: str, author: str, note: str
) -> BreakEvent:
    """A named person says why a break is there; its lock is lifted and its session's state follows."""
    return _settle(stores, settings, break_id, author, note, explained)


def close_break(
    stores: ReconcileStores, settings: ReconciliationSettings, break_id: str, author: str, note: str
) -> BreakEvent:
    """A named person closes a break; the next check opens it again if the difference is still there."""
    return _settle(stores, settings, break_id, author, note, closed_by)


def lift_lock(stores: ReconcileStores, lock_id: str, author: str, reason: str) -> LockEvent:
    """A named person allows entries again although the break is open."""
    last = next((event for event in stores.breaks.locks() if event.lock_id == lock_id), None)
    if last is None:
        raise InvalidFieldError("lock_id", "the id of a lock", lock_id)
    event = lifted_by(last, author, reason, stores.clock.now())
    alert_locks(stores.alerts, [event], locked_after(stores.breaks, [event]))
    stores.breaks.append_locks([event])
    _rewrite_locks(stores)
    return event


def _settle(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    break_id: str,
    author: str,
    note: str,
    step: Step,
) -> BreakEvent:
    last = stores.breaks.find(break_id)
    if last is None:
        raise InvalidFieldError("break_id", "the id of a break", break_id)
    event = step(last, author, note, stores.clock.now())
    found = event.found
    standing = stores.breaks.standing(found.venue, found.account, found.session)
    alert_open_breaks(stores.alerts, [event], {**standing, break_id: event}.values())
    stores.breaks.append([event])
    known = {lock.break_id: lock for lock in stores.breaks.locks([break_id])}
    lifted = next_lock_events([event], known, settings, stores.clock.now(), may_set=False)
    if lifted:
        alert_locks(stores.alerts, lifted, locked_after(stores.breaks, lifted))
        stores.breaks.append_locks(lifted)
    _follow(stores, event)
    _rewrite_locks(stores)
    return event


def _follow(stores: ReconcileStores, event: BreakEvent) -> None:
    """The session's state follows from its breaks, on the word that was there before."""
    found = event.found
    before = stores.breaks.sign_off(found.venue, found.account, found.session)
    if before is None:
        return
    standing = {**stores.breaks.standing(found.venue, found.account, found.session), event.break_id: event}
    word = sign_off_of(
        found.venue,
        found.account,
        found.session,
        standing.values(),
        made_in=before.made_in,
        run_id=before.run_id,
        statement_sha256=before.statement_sha256,
        at=stores.clock.now(),
    )
    if not word.says_the_same(before):
        stores.breaks.put_sign_off(word)


def _rewrite_locks(stores: ReconcileStores) -> None:
    if stores.live_state is not None:
        rebuild_locks(stores.live_state, stores.breaks, stores.clock.now())
