"""P&L in memory: the same pointers and results as in the warehouse."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from trading.model.fills import Fill, Venue
from trading.model.money import ZERO, canonical
from trading.pnl.book import Book, SessionResult
from trading.pnl.cash import OPENING
from trading.ports.fill_store import FillStore
from trading.ports.pnl_store import PnlRun, PnlStore, SessionOutcome

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 1, 1)
Key = tuple[Venue, str, date]


class MemoryPnlStore(PnlStore):
    """The port in one process, beside the fills that it hashes."""

    def __init__(self, fills: FillStore) -> None:
        self._fills = fills
        self._outcomes: dict[Key, SessionOutcome] = {}

    def fill_digests(self, venue: Venue, account: str) -> Mapping[date, tuple[str, int]]:
        """Return a hash over all fills of each session."""
        sessions = self._fills.sessions_with_fills(venue, account, FIRST_DAY, LAST_DAY)
        told: dict[date, list[str]] = {}
        for fill in self._fills.fills(venue, account, sessions):
            told.setdefault(fill.revision.session, []).append(_told(fill))
        return {
            session: (
                sha256("\x1e".join(sorted(texts)).encode("utf-8", "surrogatepass")).hexdigest(),
                len(texts),
            )
            for session, texts in told.items()
        }

    def runs(self, venue: Venue, account: str) -> Sequence[PnlRun]:
        """Return the runs that count, by session."""
        return [outcome.run for outcome in self._of(venue, account)]

    def book(self, venue: Venue, account: str, upto: date) -> Book | None:
        """Return the book after the last session that counts at or before `upto`."""
        found = [outcome for outcome in self._of(venue, account) if outcome.run.session <= upto]
        return found[-1].book if found else None

    def result(self, venue: Venue, account: str, session: date) -> SessionResult | None:
        """Return the rows of a session; None where no run counts for it."""
        outcome = self._outcomes.get((venue, account, session))
        return outcome.result if outcome else None

    def cash_moved(self, venue: Venue, account: str, start: date, end: date) -> Mapping[str, Decimal]:
        """Return the cash moved by currency, opening balances left out."""
        moved: dict[str, Decimal] = {}
        for outcome in self._of(venue, account):
            if start <= outcome.run.session <= end:
                for entry in outcome.result.cash:
                    if entry.kind != OPENING:
                        moved[entry.currency] = moved.get(entry.currency, ZERO) + entry.amount
        return moved

    def write(self, outcomes: Sequence[SessionOutcome]) -> None:
        """Store results and pointers."""
        for outcome in outcomes:
            self._outcomes[outcome.run.venue, outcome.run.account, outcome.run.session] = outcome

    def withdraw(self, venue: Venue, account: str, sessions: Collection[date], at: datetime) -> None:
        """Point sessions to nothing."""
        for session in sessions:
            self._outcomes.pop((venue, account, session), None)

    def _of(self, venue: Venue, account: str) -> list[SessionOutcome]:
        keys = [key for key in self._outcomes if key[:2] == (venue, account)]
        return [self._outcomes[key] for key in sorted(keys)]


def _told(fill: Fill) -> str:
    fees = sorted(f"{currency}={canonical(amount)}" for currency, amount in fill.fees.items())
    parts = (fill.revision.fill_id, fill.revision.content_hash, str(fill.busted), fill.fifo_ts.isoformat())
    return "\x1f".join((*parts, fill.fifo_key, *fees))
