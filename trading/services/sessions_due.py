"""Which sessions must be reconciled at a moment: after a close, on the next morning, and what was missed.

The Activity statement is made once a day overnight, so there are two passes: a provisional one some minutes
after the close (early closes included) and a final one the next morning, repeated while a statement is
awaited. A machine that was off finds the sessions that it missed by their standing, not by what it
remembers.
"""

from datetime import date, datetime, timedelta

from trading.calendar import is_session, previous_session, session_close, session_on_or_before
from trading.model.fills import Venue
from trading.model.times import NEW_YORK
from trading.ports.break_store import BreakStore
from trading.ports.fill_store import FillStore
from trading.ports.model_runner import SessionRange
from trading.reconciliation.sign_off import SessionState
from trading.settings import ReconciliationSettings

LOOK_BACK_SESSIONS = 20  # a month off; older sessions are closed by hand, for any range
SETTLED = frozenset({SessionState.RECONCILED, SessionState.BROKEN})
CONFIRMATION_RETRIED_FOR = timedelta(hours=1)
STATEMENT_VENUES = frozenset({Venue.IBKR})  # the others have no statement to wait for


def provisional_due(at: datetime, settings: ReconciliationSettings, tick: timedelta) -> date | None:
    """The session whose provisional pass falls into the tick that ends at `at`; None for any other tick."""
    day = at.astimezone(NEW_YORK).date()
    if not is_session(day):
        return None
    due = session_close(day) + timedelta(minutes=settings.provisional_after_close_min)
    return day if at - tick < due <= at else None


def final_due(at: datetime, settings: ReconciliationSettings) -> date | None:
    """The session whose final pass is due or repeated at `at`; None outside of the morning's hours."""
    local = at.astimezone(NEW_YORK)
    if not settings.final_at <= local.time() <= settings.final_retry_until:
        return None
    day = local.date()
    return previous_session(day) if is_session(day) else session_on_or_before(day)


def confirmation_due(at: datetime, settings: ReconciliationSettings) -> date | None:
    """The session whose Trade Confirmations are asked for at `at`: from its provisional pass on, for an hour
    (a fetch may fail); None at any other moment.
    """
    day = at.astimezone(NEW_YORK).date()
    if not is_session(day):
        return None
    due = session_close(day) + timedelta(minutes=settings.provisional_after_close_min)
    return day if due <= at <= due + CONFIRMATION_RETRIED_FOR else None


def fetch_due(at: datetime, settings: ReconciliationSettings, tick: timedelta) -> date | None:
    """The session whose statement is asked for in the tick that ends at `at`: at the first moment of the
    final pass and every `final_retry_every_min` after it; None for any other tick.
    """
    session = final_due(at, settings)
    local = at.astimezone(NEW_YORK)
    since = local - local.replace(hour=settings.final_at.hour, minute=settings.final_at.minute, second=0)
    is_turn = since % timedelta(minutes=settings.final_retry_every_min) < tick
    return session if is_turn else None


def unsettled_sessions(fills: FillStore, breaks: BreakStore, upto: date) -> SessionRange | None:
    """The sessions up to `upto` that some account traded on and that no statement has settled; None if
    there are none.

    Only accounts whose venue makes statements are asked, and only the last sessions.
    """
    first = first_looked_at(upto)
    unsettled: set[date] = set()
    for venue, account in fills.accounts():
        if venue in STATEMENT_VENUES:
            words = {word.session: word.state for word in breaks.sign_offs(venue, account)}
            traded = fills.sessions_with_fills(venue, account, first, upto)
            told = [session for session in words if first <= session <= upto]
            unsettled.update(day for day in {*traded, *told} if words.get(day) not in SETTLED)
    return SessionRange(first=min(unsettled), last=max(unsettled)) if unsettled else None


def first_looked_at(upto: date) -> date:
    """The oldest session that is still looked at."""
    for _ in range(LOOK_BACK_SESSIONS):
        upto = previous_session(upto)
    return upto
