"""Breaks, sign-offs and locks in memory: events are added, never changed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import Venue
from trading.ports.break_store import BreakStore
from trading.reconciliation.breaks import BreakEvent, BreakState
from trading.reconciliation.locks import LockEvent
from trading.reconciliation.records import Told
from trading.reconciliation.sign_off import SessionState, SignOff


class MemoryBreakStore(BreakStore):
    """The port in one process, beside the fills whose versions it compares."""

    def __init__(self, fills: MemoryFillStore) -> None:
        self._fills = fills
        self._events: dict[str, BreakEvent] = {}
        self._words: list[SignOff] = []
        self._locks: list[LockEvent] = []

    def told(self, venue: Venue, account: str, session: date) -> Told:
        """Return every revision and fee that any source told of a session."""
        revisions, fees = self._fills.told(venue, account, session)
        return Told(revisions=revisions, fees=fees)

    def standing(self, venue: Venue, account: str, session: date) -> Mapping[str, BreakEvent]:
        """Return the newest event of every break of a session."""
        found = self.breaks(venue=venue, account=account, start=session, end=session)
        return {event.break_id: event for event in found}

    def breaks(
        self,
        *,
        venue: Venue | None = None,
        account: str | None = None,
        start: date | None = None,
        end: date | None = None,
        states: Collection[BreakState] = (),
    ) -> Sequence[BreakEvent]:
        """Return breaks as they stand."""
        latest: dict[str, BreakEvent] = {}
        for event in sorted(self._events.values(), key=_age):
            latest[event.break_id] = event
        chosen = [
            event
            for event in latest.values()
            if (venue is None or event.found.venue is venue)
            and (account is None or event.found.account == account)
            and (start is None or event.found.session >= start)
            and (end is None or event.found.session <= end)
            and (not states or event.state in states)
        ]
        return sorted(chosen, key=_shown)

    def find(self, break_id: str) -> BreakEvent | None:
        """Return a break as it stands."""
        history = self.history(break_id)
        return history[-1] if history else None

    def history(self, break_id: str) -> Sequence[BreakEvent]:
        """Return every event of a break, oldest first."""
        return sorted((event for event in self._events.values() if event.break_id == break_id), key=_age)

    def append(self, events: Sequence[BreakEvent]) -> None:
        """Add events."""
        for event in events:
            self._events.setdefault(event.event_id, event)

    def sign_off(self, venue: Venue, account: str, session: date) -> SignOff | None:
        """Return the newest word on a session."""
        found = [word for word in self.sign_offs(venue, account) if word.session == session]
        return found[0] if found else None

    def sign_offs(self, venue: Venue | None = None, account: str | None = None) -> Sequence[SignOff]:
        """Return the newest word on every session: the one that was said last, whatever the clock read."""
        latest: dict[tuple[Venue, str, date], SignOff] = {}
        for word in self._words:
            if venue in (None, word.venue) and account in (None, word.account):
                latest[word.venue, word.account, word.session] = word
        return [latest[key] for key in sorted(latest)]

    def has_signed_off(self, venue: Venue, account: str) -> bool:
        """Whether any session of the account was ever reconciled."""
        return any(
            (word.venue, word.account, word.state) == (venue, account, SessionState.RECONCILED)
            for word in self._words
        )

    def put_sign_offs(self, words: Sequence[SignOff]) -> None:
        """Set the words on several sessions."""
        self._words.extend(words)

    def locks(self, break_ids: Collection[str] | None = None) -> Sequence[LockEvent]:
        """Return the newest event of every lock."""
        latest: dict[str, LockEvent] = {}
        for event in sorted(self._locks, key=lambda event: (event.sequence, event.event_at)):
            if break_ids is None or event.break_id in break_ids:
                latest[event.lock_id] = event
        return sorted(
            latest.values(), key=lambda event: (event.account, event.scope, event.scope_key, event.lock_id)
        )

    def append_locks(self, events: Sequence[LockEvent]) -> None:
        """Add lock events."""
        self._locks.extend(events)


def _age(event: BreakEvent) -> tuple[object, ...]:
    return (event.break_id, event.sequence, event.event_at, event.event_id)


def _shown(event: BreakEvent) -> tuple[object, ...]:
    found = event.found
    return (found.venue, found.account, found.session, found.kind, event.break_id)
