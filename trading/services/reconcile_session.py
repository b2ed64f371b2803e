"""Reconcile one session of one account with the broker's word: breaks, locks, sign-off, live state.

The Activity statement is the word for good (final pass); until it is there, Trade Confirmations are
(provisional pass); a venue that makes no statement is taken by its fills and positions (venue_word); without
any of them the session awaits its statement and nothing is claimed. Running it again
with the same facts writes nothing. Everything is persisted in the warehouse before the live state is
rewritten, so that a kill in between loses only what the next run writes again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from trading.calendar import session_on_or_before
from trading.errors import LiveStateUnavailableError
from trading.model.fills import Fill, FillKind, Source, Venue
from trading.model.statements import FxRate, OptionEvent
from trading.pnl.book import Book, SessionResult
from trading.ports.alerts import Alerts
from trading.ports.break_store import BreakStore
from trading.ports.clock import Clock
from trading.ports.fill_store import FillStore
from trading.ports.live_state import LiveState
from trading.ports.pnl_store import PnlStore
from trading.ports.statement_store import StatementHeader, StatementStore
from trading.reconciliation.breaks import BreakEvent, BreakKind, BreakState, Pass, next_events
from trading.reconciliation.compare import Comparison, compare
from trading.reconciliation.locks import LockEvent, next_lock_events
from trading.reconciliation.records import BrokerRecord, OurRecord, Told, standing_fills
from trading.reconciliation.sign_off import SessionState, SignOff, sign_off_of
from trading.services.alert_breaks import alert_locks, alert_open_breaks, locked_after
from trading.services.rewrite_live_state import rebuild_locks, rewrite_live_state
from trading.services.session_facts import AccountFacts, FactStores, SessionFacts
from trading.services.venue_word import TOLD_BY_VENUE, VENUES, venue_word
from trading.settings import ReconciliationSettings

BROKERS_WORD = {
    Pass.FINAL: frozenset({Source.STATEMENT}),
    Pass.PROVISIONAL: frozenset({Source.CONFIRMATION}),
}
EVIDENCE_FOR = frozenset(
    {BreakKind.REALIZED, BreakKind.POSITION, BreakKind.COST_BASIS, BreakKind.MISSING_HISTORY}
)  # kinds whose rules look at the openings of what was closed or is held
EVENT_LAG_DAYS = 7  # an option event may be reported around a weekend or a holiday
FAR = date(2149, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileStores:
    """What reconciliation needs from outside; without a live state nothing is rewritten there, without
    alerts nobody is told.
    """

    fills: FillStore
    statements: StatementStore
    pnl: PnlStore
    breaks: BreakStore
    live_state: LiveState | None
    clock: Clock
    alerts: Alerts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileReport:
    """What one check found and changed."""

    sign_off: SignOff
    standing: tuple[BreakEvent, ...]
    new_events: tuple[BreakEvent, ...]
    lock_events: tuple[LockEvent, ...]
    fills_matched: int
    contracts_compared: int

    @property
    def open_breaks(self) -> tuple[BreakEvent, ...]:
        """Breaks that nobody explains."""
        return tuple(event for event in self.standing if event.state is BreakState.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A session that was checked and stored, and what the live state is told of it."""

    report: ReconcileReport
    theirs: BrokerRecord | None = None
    result: SessionResult | None = None


def reconcile_session(
    stores: ReconcileStores, settings: ReconciliationSettings, venue: Venue, account: str, session: date
) -> ReconcileReport:
    """Check one session. `compute_pnl` must have run before."""
    missed: list[LiveStateUnavailableError] = []
    facts = _facts(stores, _account(stores, venue, account), [session])
    (report,) = _reconcile(stores, settings, facts, missed)
    _finish(stores, missed)
    return report


def reconcile_range(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    venue: Venue,
    account: str,
    start: date,
    end: date,
    progress: Callable[[int, int], None] | None = None,
) -> Sequence[ReconcileReport]:
    """Check every session in [start, end] that has facts, oldest first.

    A live state that is down stops no check: all is stored in the warehouse first, then
    LiveStateUnavailableError is raised, so that somebody checks again and writes what it lacks.
    """
    whose = _account(stores, venue, account)
    told = set(stores.fills.sessions_with_fills(venue, account, start, end))
    sessions = sorted(told | {session for session in whose.runs if start <= session <= end})
    reports: list[ReconcileReport] = []
    missed: list[LiveStateUnavailableError] = []
    for part in whose.readings(sessions):
        reports.extend(_reconcile(stores, settings, _facts(stores, whose, part), missed))
        if progress is not None:
            progress(len(reports), len(sessions))
    _finish(stores, missed)
    return reports


def _account(stores: ReconcileStores, venue: Venue, account: str) -> AccountFacts:
    return AccountFacts(
        venue=venue,
        account=account,
        runs={run.session: run for run in stores.pnl.runs(venue, account)},
        headers=stores.statements.statements(venue, account),
        latest=stores.pnl.book(venue, account, FAR),
    )


def _facts(stores: ReconcileStores, whose: AccountFacts, sessions: Sequence[date]) -> SessionFacts:
    sources = FactStores(
        fills=stores.fills, statements=stores.statements, pnl=stores.pnl, breaks=stores.breaks
    )
    return SessionFacts(stores=sources, whose=whose, sessions=sessions)


def _reconcile(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    facts: SessionFacts,
    missed: list[LiveStateUnavailableError],
) -> list[ReconcileReport]:
    """Check sessions whose facts were read together. Their new words are stored at once and last: a kill
    before that leaves breaks and locks, which the next check finds as it would make them.
    """
    words: list[SignOff] = []
    reports: list[ReconcileReport] = []
    for session in facts.sessions:
        checked = _checked(stores, settings, facts, session, words)
        reports.append(checked.report)
        if not missed:  # a live state that is down is not waited for again and again
            _tell_live_state(stores, facts, session, checked, missed)
    stores.breaks.put_sign_offs(words)
    return reports


def _tell_live_state(
    stores: ReconcileStores,
    facts: SessionFacts,
    session: date,
    checked: _Checked,
    missed: list[LiveStateUnavailableError],
) -> None:
    if stores.live_state is None:
        return
    run = facts.whose.runs.get(session)
    try:
        rewrite_live_state(stores.live_state, checked.theirs, checked.result, run, stores.clock.now())
        if checked.report.lock_events:
            _rewrite_locks(stores)
    except LiveStateUnavailableError as error:
        missed.append(error)


def _finish(stores: ReconcileStores, missed: Sequence[LiveStateUnavailableError]) -> None:
    """Bring the locks to the live state; what it missed is an error now that all is stored."""
    if missed:
        raise missed[0]
    _rewrite_locks(stores)


def _checked(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    facts: SessionFacts,
    session: date,
    words: list[SignOff],
) -> _Checked:
    word = facts.whose.brokers_word(session)
    if word is None:
        return _Checked(report=_keep(stores, settings, facts, session, words, None, None))
    made_in, header = word
    told = facts.told[session]
    if facts.whose.venue in VENUES:
        theirs = venue_word(facts, session, header, told)
    else:
        theirs = _theirs(stores, facts, session, made_in, header, told)
    ours = _ours(stores, facts, session, told, theirs)
    found = compare(ours, theirs, settings.break_at)
    if any(item.kind in EVIDENCE_FOR and not item.cause for item in found.breaks):
        found = compare(_with_evidence(facts, ours), theirs, settings.break_at)
    report = _keep(stores, settings, facts, session, words, theirs, found)
    return _Checked(report=report, theirs=theirs, result=ours.result)


def _keep(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    facts: SessionFacts,
    session: date,
    words: list[SignOff],
    theirs: BrokerRecord | None,
    found: Comparison | None,
) -> ReconcileReport:
    """Persist what is new, in the order in which it may be lost: breaks, locks, sign-off."""
    now = stores.clock.now()
    whose, known = facts.whose, facts.standing[session]
    events: list[BreakEvent] = []
    if theirs is not None and found is not None:
        events = next_events(found.breaks, known, theirs.made_in, now)
        standing = {**known, **{event.break_id: event for event in events}}
        alert_open_breaks(stores.alerts, events, standing.values())
        stores.breaks.append(events)
    standing = {**known, **{event.break_id: event for event in events}}
    lock_events = _keep_locks(stores, settings, whose, list(standing.values()), words)
    run = whose.runs.get(session)
    word = sign_off_of(
        whose.venue,
        whose.account,
        session,
        standing.values(),
        made_in=theirs.made_in if theirs else None,
        run_id=run.run_id if run else "",
        statement_sha256=theirs.statement_sha256 if theirs else "",
        at=now,
    )
    before = facts.sign_offs.get(session)
    if not word.says_the_same(before):
        words.append(word)
    return ReconcileReport(
        sign_off=word if before is None or not word.says_the_same(before) else before,
        standing=tuple(standing.values()),
        new_events=tuple(events),
        lock_events=tuple(lock_events),
        fills_matched=found.fills_matched if found else 0,
        contracts_compared=found.contracts_compared if found else 0,
    )


def _keep_locks(
    stores: ReconcileStores,
    settings: ReconciliationSettings,
    whose: AccountFacts,
    standing: Sequence[BreakEvent],
    words: Sequence[SignOff],
) -> Sequence[LockEvent]:
    """`words` are of the sessions before, decided but not yet stored: they count as signed off."""
    if not standing:
        return ()
    known = {event.break_id: event for event in stores.breaks.locks([item.break_id for item in standing])}
    may_set = any(word.state is SessionState.RECONCILED for word in words) or stores.breaks.has_signed_off(
        whose.venue, whose.account
    )
    events = next_lock_events(standing, known, settings, stores.clock.now(), may_set=may_set)
    if events:
        alert_locks(stores.alerts, events, locked_after(stores.breaks, events))
        stores.breaks.append_locks(events)
    return events


def _rewrite_locks(stores: ReconcileStores) -> None:
    if stores.live_state is not None:
        rebuild_locks(stores.live_state, stores.breaks, stores.clock.now())


def _theirs(
    stores: ReconcileStores,
    facts: SessionFacts,
    session: date,
    made_in: Pass,
    header: StatementHeader,
    told: Told,
) -> BrokerRecord:
    is_final = made_in is Pass.FINAL
    ends_here = is_final and session_on_or_before(header.to_date) == session
    fills = standing_fills(told, BROKERS_WORD[made_in])
    if is_final and any(_lacks_figure(fill) for fill in fills):
        fills = _with_event_figures(fills, _option_events(stores, facts.whose, session))
    positions = facts.positions.get(header.to_date) if ends_here else None
    return BrokerRecord(
        venue=facts.whose.venue,
        account=facts.whose.account,
        session=session,
        made_in=made_in,
        fills=fills,
        positions=positions,
        cash=facts.cash.get(header.to_date) if ends_here else None,
        period_start=header.from_date,
        rates_to_base=_rates(facts.fx_rates.get(session, ()), header, fills, positions or ()),
        statement_sha256=header.sha256,
    )


def _rates(
    told: Sequence[FxRate],
    header: StatementHeader,
    fills: Sequence[Fill],
    positions: Sequence[object],
) -> Mapping[str, Decimal]:
    base = header.base_currency or ""
    rates = {base: Decimal(1)} if base else {}
    for rate in told:
        if rate.to_currency == base:
            rates.setdefault(rate.from_currency, rate.rate)
    rows = [*positions, *(fill.revision for fill in fills)]
    for row in rows:
        figure = getattr(row, "fx_rate_to_base", None)
        if figure is not None:
            rates.setdefault(getattr(row, "currency", ""), figure)
    return rates


def _ours(
    stores: ReconcileStores, facts: SessionFacts, session: date, told: Told, theirs: BrokerRecord
) -> OurRecord:
    whose, result = facts.whose, facts.results.get(session)
    if result is not None:
        book = Book(venue=whose.venue, account=whose.account, session=session, lots=result.lots)
    else:  # nothing happened: what was held before is held still
        result = SessionResult(session=session, lots=(), matches=(), daily=(), cash=())
        before = stores.pnl.book(whose.venue, whose.account, session)
        book = before or Book(venue=whose.venue, account=whose.account)
    theirs_alone = TOLD_BY_VENUE if theirs.venue in VENUES else BROKERS_WORD[theirs.made_in]
    elsewhere = standing_fills(told, frozenset(Source) - theirs_alone - {Source.STATEMENT})
    ours = OurRecord(
        result=result,
        fills=facts.fills([session]),
        book=book,
        elsewhere=elsewhere or None,
        latest=whose.latest,
        first_session=min(whose.runs, default=None),
    )
    if theirs.cash is None or theirs.period_start is None:
        return ours
    sessions = [day for day in whose.runs if theirs.period_start <= day <= session]
    start = min(sessions, default=session)
    return replace(
        ours,
        cash_moved=facts.cash_moved(start, session),
        period_fills=facts.fills(sessions),
    )


def _with_evidence(facts: SessionFacts, ours: OurRecord) -> OurRecord:
    """Read the openings of what was closed or is held: rules look at them, and only they."""
    sessions = {match.open_session for match in ours.result.matches} | {
        lot.open_session for lot in ours.book.lots
    }
    known = facts.fills(sessions)
    by_id = {fill.revision.fill_id: fill for fill in (*known, *ours.period_fills, *ours.fills)}
    return replace(ours, known_fills=tuple(by_id.values()))


def _lacks_figure(fill: Fill) -> bool:
    """A booking whose query leaves the realized figure out: it may stand with the option event."""
    return fill.revision.kind is FillKind.BOOKING and fill.revision.broker_realized is None


def _option_events(stores: ReconcileStores, whose: AccountFacts, session: date) -> Sequence[OptionEvent]:
    lag = timedelta(days=EVENT_LAG_DAYS)
    return stores.statements.option_events(whose.venue, whose.account, session - lag, session + lag)


def _with_event_figures(fills: Sequence[Fill], events: Sequence[OptionEvent]) -> list[Fill]:
    """Some queries tell a booking's realized figure only with the option event of its trade id."""
    figures = {
        event.trade_id: event.realized for event in events if event.trade_id and event.realized is not None
    }
    return [
        replace(fill, revision=replace(fill.revision, broker_realized=figures[fill.revision.trade_id]))
        if fill.revision.broker_realized is None and fill.revision.trade_id in figures
        else fill
        for fill in fills
    ]
