"""Whether an account may open a position now: locks, the locks epoch, and whether its books are proved.

What goes wrong without one place: locks say yes because nothing was compared yet. A lock is what a comparison
found; before the comparison there is none. So an account enters only when nothing is locked AND its last
sessions were settled by a final statement, unless its policy says otherwise. What cannot be asked raises;
nothing here says yes for want of an answer. Exits are never asked for.
"""

from dataclasses import dataclass
from datetime import date, datetime

from trading.calendar import previous_session, trading_session
from trading.model.fills import Venue
from trading.ports.break_store import BreakStore
from trading.ports.fill_store import FillStore
from trading.ports.live_state import EntryAnswer, LiveState
from trading.services.sessions_due import SETTLED, first_looked_at
from trading.settings import AccountPolicy, ReconciliationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryStores:
    """Who is asked: the live state for locks, the warehouse for the sessions' standing."""

    live_state: LiveState
    breaks: BreakStore
    fills: FillStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What would be opened, and by whom; `instrument` is the conid where the venue has one."""

    venue: Venue
    account: str
    underlying: str
    instrument: str


def policy_of(settings: ReconciliationSettings, account: str) -> AccountPolicy:
    """The account's own policy, else the default one."""
    return settings.accounts.get(account, settings.default_account)


def entries_allowed(
    entry: Entry, at: datetime, stores: EntryStores, settings: ReconciliationSettings
) -> EntryAnswer:
    """Answer for one entry at a moment; the first refusal found is the reason."""
    live = stores.live_state.entries_allowed(entry.account, entry.underlying, entry.instrument)
    if not live.allowed or policy_of(settings, entry.account).entries_before_reconciled:
        return live
    if not stores.breaks.has_signed_off(entry.venue, entry.account):
        return _refused(f"{entry.account}: no session was ever reconciled")
    unproved = _first_unproved(entry, previous_session(trading_session(at)), stores)
    if unproved is not None:
        session, state = unproved
        return _refused(f"{entry.account}: session {session} is {state}, not reconciled")
    return live


def _first_unproved(entry: Entry, upto: date, stores: EntryStores) -> tuple[date, str] | None:
    """The oldest of the last sessions that has fills or a word, and no final statement.

    A broken session is settled: its locks, graded by size, say what it refuses.
    """
    first = first_looked_at(upto)
    words = {word.session: word.state for word in stores.breaks.sign_offs(entry.venue, entry.account)}
    traded = stores.fills.sessions_with_fills(entry.venue, entry.account, first, upto)
    known = {*traded, *(session for session in words if first <= session <= upto)}
    for session in sorted(known):
        state = words.get(session)
        if state not in SETTLED:
            return session, str(state or "not compared")
    return None


def _refused(reason: str) -> EntryAnswer:
    return EntryAnswer(allowed=False, reason=reason)
