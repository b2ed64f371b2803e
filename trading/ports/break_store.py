"""Where breaks, sign-offs and locks are kept: as events, with a view of how they stand."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from trading.model.fills import Venue
from trading.reconciliation.breaks import BreakEvent, BreakState
from trading.reconciliation.locks import LockEvent
from trading.reconciliation.records import Told
from trading.reconciliation.sign_off import SignOff


class BreakStore(ABC):
    """The reconciliation ledger. Raises WarehouseUnavailableError when it cannot answer: never an empty
    answer.
    """

    @abstractmethod
    def told(self, venue: Venue, account: str, session: date) -> Told:
        """Return every fill revision and every fee that any source told of a session."""

    def told_of(self, venue: Venue, account: str, sessions: Collection[date]) -> Mapping[date, Told]:
        """Return the same for several sessions; a store that pays for each question asks once."""
        return {session: self.told(venue, account, session) for session in sessions}

    @abstractmethod
    def standing(self, venue: Venue, account: str, session: date) -> Mapping[str, BreakEvent]:
        """Return the newest event of every break of a session, by break id."""

    @abstractmethod
    def breaks(
        self,
        *,
        venue: Venue | None = None,
        account: str | None = None,
        start: date | None = None,
        end: date | None = None,
        states: Collection[BreakState] = (),
    ) -> Sequence[BreakEvent]:
        """Return breaks as they stand, by account, session, kind and id; no states means all."""

    @abstractmethod
    def find(self, break_id: str) -> BreakEvent | None:
        """Return a break as it stands."""

    @abstractmethod
    def history(self, break_id: str) -> Sequence[BreakEvent]:
        """Return every event of a break, oldest first."""

    @abstractmethod
    def append(self, events: Sequence[BreakEvent]) -> None:
        """Add events; the same event twice is stored once."""

    @abstractmethod
    def sign_off(self, venue: Venue, account: str, session: date) -> SignOff | None:
        """Return the newest word on a session."""

    @abstractmethod
    def sign_offs(self, venue: Venue | None = None, account: str | None = None) -> Sequence[SignOff]:
        """Return the newest word on every session, by account and session."""

    @abstractmethod
    def has_signed_off(self, venue: Venue, account: str) -> bool:
        """Whether any session of the account was ever reconciled."""

    def put_sign_off(self, word: SignOff) -> None:
        """Set the word on a session."""
        self.put_sign_offs([word])

    @abstractmethod
    def put_sign_offs(self, words: Sequence[SignOff]) -> None:
        """Set the words on several sessions; the same words twice are stored once."""

    @abstractmethod
    def locks(self, break_ids: Collection[str] | None = None) -> Sequence[LockEvent]:
        """Return the newest event of every lock (of some breaks), lifted ones too."""

    @abstractmethod
    def append_locks(self, events: Sequence[LockEvent]) -> None:
        """Add lock events; the same event twice is stored once."""
