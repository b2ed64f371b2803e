"""What reconciliation reads of one account, for several sessions at once.

A question costs the warehouse the same for one session as for forty, so the facts of a run of sessions are
read together, each kind by one question at its first use. What is read is what the stores would answer
session by session; nothing here decides anything.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

from trading.model.fills import Fill, Venue
from trading.model.money import ZERO
from trading.model.statements import CashBalance, FxRate, StatementKind, StatementPosition
from trading.pnl.book import Book, SessionResult
from trading.pnl.cash import OPENING
from trading.ports.break_store import BreakStore
from trading.ports.fill_store import FillStore
from trading.ports.pnl_store import PnlRun, PnlStore
from trading.ports.statement_store import StatementHeader, StatementStore, statement_covering
from trading.reconciliation.breaks import BreakEvent, Pass
from trading.reconciliation.records import Told
from trading.reconciliation.sign_off import SignOff

SESSIONS_PER_READ_MAX = 40
FILLS_PER_READ_MAX = 20_000  # bounds the memory of one reading; a session that has more is read alone
PASSES = ((StatementKind.ACTIVITY, Pass.FINAL), (StatementKind.CONFIRMATION, Pass.PROVISIONAL))


@dataclass(frozen=True, slots=True, kw_only=True)
class FactStores:
    """Where the facts come from."""

    fills: FillStore
    statements: StatementStore
    pnl: PnlStore
    breaks: BreakStore


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What is the same for every session of an account, read once."""

    venue: Venue
    account: str
    runs: Mapping[date, PnlRun]
    headers: Sequence[StatementHeader]
    latest: Book | None

    def brokers_word(self, session: date) -> tuple[Pass, StatementHeader] | None:
        """The statement that a session is compared with: the Activity statement, else confirmations."""
        for kind, made_in in PASSES:
            header = statement_covering(self.headers, session, kind)
            if header is not None:
                return made_in, header
        return None

    def readings(self, sessions: Sequence[date]) -> Iterator[Sequence[date]]:
        """Part sessions into those that are read together, by number and by their fills."""
        part: list[date] = []
        fills = 0
        for session in sessions:
            more = self.runs[session].fills if session in self.runs else 0
            if part and (len(part) == SESSIONS_PER_READ_MAX or fills + more > FILLS_PER_READ_MAX):
                yield part
                part, fills = [], 0
            part.append(session)
            fills += more
        if part:
            yield part


@dataclass(kw_only=True)
class SessionFacts:
    """The facts of some sessions, oldest first."""

    stores: FactStores
    whose: AccountFacts
    sessions: Sequence[date]
    _fills: dict[date, list[Fill]] = field(default_factory=dict)

    @cached_property
    def told(self) -> Mapping[date, Told]:
        """Every revision and fee that any source told."""
        return self.stores.breaks.told_of(self.whose.venue, self.whose.account, self._worded)

    @cached_property
    def standing(self) -> Mapping[date, Mapping[str, BreakEvent]]:
        """The newest event of every break that a statement was compared for, by session and break id."""
        found: dict[date, dict[str, BreakEvent]] = {session: {} for session in self.sessions}
        events = self.stores.breaks.breaks(
            venue=self.whose.venue, account=self.whose.account, start=self.sessions[0], end=self.sessions[-1]
        )
        for event in events:
            if event.made_in is not Pass.LIVE:
                found.setdefault(event.found.session, {})[event.break_id] = event
        return found

    @cached_property
    def sign_offs(self) -> Mapping[date, SignOff]:
        """The newest word on each session that has one."""
        words = self.stores.breaks.sign_offs(self.whose.venue, self.whose.account)
        asked = set(self.sessions)
        return {word.session: word for word in words if word.session in asked}

    @cached_property
    def results(self) -> Mapping[date, SessionResult]:
        """The P&L rows of each session that has a run."""
        return self.stores.pnl.results(self.whose.venue, self.whose.account, self._worded)

    @cached_property
    def fx_rates(self) -> Mapping[date, Sequence[FxRate]]:
        """Conversion rates by day."""
        rates: dict[date, list[FxRate]] = {}
        first, last = self.sessions[0], self.sessions[-1]
        for rate in self.stores.statements.fx_rates(self.whose.venue, self.whose.account, first, last):
            rates.setdefault(rate.report_date, []).append(rate)
        return rates

    @cached_property
    def positions(self) -> Mapping[date, Sequence[StatementPosition]]:
        """What the final statements say is held, by the day on which they end."""
        return self.stores.statements.positions_on(self.whose.venue, self.whose.account, self._ends)

    @cached_property
    def cash(self) -> Mapping[date, Sequence[CashBalance]]:
        """The cash reports of the final statements, by the day on which they end."""
        return self.stores.statements.cash_on(self.whose.venue, self.whose.account, self._ends)

    def fills(self, sessions: Collection[date]) -> list[Fill]:
        """The fills of any sessions as they stand, in FIFO order; what lies outside is read and not kept."""
        if not self._fills and not self._worded.isdisjoint(sessions):
            self._fills = self._read(self._worded)
        known = {**self._fills, **self._read(set(sessions) - self._fills.keys())}
        found = [fill for day in set(sessions) for fill in known[day]]
        return sorted(found, key=lambda fill: (fill.fifo_ts, fill.fifo_key))

    def cash_moved(self, start: date, end: date) -> Mapping[str, Decimal]:
        """The cash moved by currency over the sessions in [start, end], opening balances left out."""
        days = [session for session in self.whose.runs if start <= session <= end]
        if not all(day in self.results for day in days):
            return self.stores.pnl.cash_moved(self.whose.venue, self.whose.account, start, end)
        moved: dict[str, Decimal] = {}
        for entry in (entry for day in days for entry in self.results[day].cash):
            if entry.kind != OPENING:
                moved[entry.currency] = moved.get(entry.currency, ZERO) + entry.amount
        return moved

    @cached_property
    def _worded(self) -> frozenset[date]:
        """The sessions of which the broker says something; of the others nothing is compared."""
        return frozenset(session for session in self.sessions if self.whose.brokers_word(session))

    @cached_property
    def _ends(self) -> frozenset[date]:
        words = (self.whose.brokers_word(session) for session in self.sessions)
        return frozenset(word[1].to_date for word in words if word and word[0] is Pass.FINAL)

    def _read(self, sessions: Collection[date]) -> dict[date, list[Fill]]:
        found: dict[date, list[Fill]] = {session: [] for session in sessions}
        for fill in self.stores.fills.fills(self.whose.venue, self.whose.account, sessions):
            found[fill.revision.session].append(fill)
        return found
