"""Where P&L is kept: immutable results by run, and one pointer per session that says which run counts."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from trading.model.fills import Venue
from trading.pnl.book import Book, SessionResult


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlRun:
    """One computed session; run_id is the hash of the run before, of its own inputs and of the settings."""

    venue: Venue
    account: str
    session: date
    run_id: str
    previous_run_id: str
    inputs_hash: str
    settings_hash: str
    fills: int
    base_currency: str
    computed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOutcome:
    """A run with all that it computed: the session's rows and the book at its end."""

    run: PnlRun
    result: SessionResult
    book: Book


class PnlStore(ABC):
    """Results of P&L runs. Raises WarehouseUnavailableError when it cannot answer: never an empty answer."""

    @abstractmethod
    def fill_digests(self, venue: Venue, account: str) -> Mapping[date, tuple[str, int]]:
        """Return for every session with fills a hash over all fills as they stand, fees included, and their
        count.

        The hash changes with any fill and with nothing else; it is computed where the fills are.
        """

    @abstractmethod
    def runs(self, venue: Venue, account: str) -> Sequence[PnlRun]:
        """Return the runs that count, by session."""

    @abstractmethod
    def book(self, venue: Venue, account: str, upto: date) -> Book | None:
        """Return the book after the last session that counts at or before `upto`; None before the first."""

    @abstractmethod
    def result(self, venue: Venue, account: str, session: date) -> SessionResult | None:
        """Return the rows of a session; None where no run counts for it."""

    def results(self, venue: Venue, account: str, sessions: Collection[date]) -> Mapping[date, SessionResult]:
        """Return the rows of those sessions for which a run counts; a store that pays for each question asks
        once.
        """
        found = {session: self.result(venue, account, session) for session in sessions}
        return {session: result for session, result in found.items() if result is not None}

    @abstractmethod
    def cash_moved(self, venue: Venue, account: str, start: date, end: date) -> Mapping[str, Decimal]:
        """Return the sum of the cash entries of the sessions in [start, end] by currency, opening balances
        left out.
        """

    @abstractmethod
    def write(self, outcomes: Sequence[SessionOutcome]) -> None:
        """Store results first and then the pointers to them, in the order of the sessions; safe to repeat."""

    @abstractmethod
    def withdraw(self, venue: Venue, account: str, sessions: Collection[date], at: datetime) -> None:
        """Take sessions back that have no facts any more."""
