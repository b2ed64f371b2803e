"""Compute the P&L of an account up to a session: only what changed, and all that follows from it.

What goes wrong without the chain: a correction to Tuesday changes Wednesday's lots, and nobody recomputes
Wednesday. A run's id is the hash of its inputs and of the run before it, so a changed session changes the ids
of all later ones, and an unchanged one costs a comparison. Nothing is updated: new results are written beside
the old, then the pointer moves.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256

from trading.calendar import session_on_or_after, session_on_or_before
from trading.model.fills import Fill, Venue
from trading.model.money import canonical
from trading.model.statements import (
    CashFlow,
    CorporateAction,
    DetailLevel,
    FxRate,
    StatementKind,
    StatementPosition,
)
from trading.pnl.book import Book
from trading.pnl.engine import SessionInputs, advance
from trading.pnl.opening import lot_of
from trading.ports.clock import Clock
from trading.ports.fill_store import FillStore
from trading.ports.pnl_store import PnlRun, PnlStore, SessionOutcome
from trading.ports.statement_store import OpeningLot, StatementHeader, StatementStore
from trading.settings import LotMethod

ENGINE = "pnl-1"  # part of every run's identity: raise it when the same inputs give other rows
SESSIONS_PER_WRITE_MAX = 40
SESSIONS_PER_READ_MAX = 40
HASH_DIGITS = 32
BASE_SUMMARY = "BASE_SUMMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlStores:
    """What computing P&L needs from outside."""

    fills: FillStore
    statements: StatementStore
    pnl: PnlStore
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlReport:
    """What a computation did, by session."""

    computed: tuple[date, ...]
    unchanged: int
    withdrawn: tuple[date, ...]


@dataclass(slots=True)
class _Facts:
    """All facts of one session but its fills, which are read only when the session is computed."""

    fill_digest: str = ""
    fills: int = 0
    flows: list[CashFlow] = field(default_factory=list)
    actions: list[CorporateAction] = field(default_factory=list)
    lots: list[OpeningLot] = field(default_factory=list)
    opening_cash: dict[str, Decimal] = field(default_factory=dict)
    statement_id: str = ""
    statement_end: date | None = None  # of the statement that ends with the session, perhaps on a Sunday


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the statements tell of some sessions, by day."""

    positions: Mapping[date, Sequence[StatementPosition]] = field(default_factory=dict)
    rates: Mapping[date, Sequence[FxRate]] = field(default_factory=dict)


@dataclass(slots=True)
class _Chain:
    """The computation on its way: the last run's id, and the book once something had to be computed."""

    run_id: str = ""
    book: Book | None = None
    last_kept: date | None = None
    fills: dict[date, list[Fill]] = field(default_factory=dict)
    told: _Told = field(default_factory=_Told)


def compute_pnl(
    stores: PnlStores,
    venue: Venue,
    account: str,
    upto: date,
    method: LotMethod = LotMethod.FIFO,
    progress: Callable[[int, int], None] | None = None,
) -> PnlReport:
    """Bring the P&L up to date; sessions after `upto` that were computed before are brought along."""
    runs = {run.session: run for run in stores.pnl.runs(venue, account)}
    upto = max(upto, max(runs, default=upto))
    headers = stores.statements.statements(venue, account)
    facts = _facts(stores, venue, account, upto, headers)
    base = next((header.base_currency for header in reversed(headers) if header.base_currency), "") or ""
    withdrawn = tuple(sorted(session for session in runs if session not in facts))
    if withdrawn:
        stores.pnl.withdraw(venue, account, withdrawn, stores.clock.now())
    computed: list[date] = []
    waiting: list[SessionOutcome] = []
    for outcome in _outcomes(stores, venue, account, facts, runs, base, method):
        waiting.append(outcome)
        computed.append(outcome.run.session)
        if len(waiting) == SESSIONS_PER_WRITE_MAX:
            stores.pnl.write(waiting)
            waiting = []
        if progress is not None:
            progress(len(computed), len(facts))
    stores.pnl.write(waiting)
    return PnlReport(computed=tuple(computed), unchanged=len(facts) - len(computed), withdrawn=withdrawn)


def _outcomes(
    stores: PnlStores,
    venue: Venue,
    account: str,
    facts: Mapping[date, _Facts],
    runs: Mapping[date, PnlRun],
    base: str,
    method: LotMethod,
) -> Iterator[SessionOutcome]:
    chain = _Chain()
    settings_hash = _digest(ENGINE, method.value)
    sessions = sorted(facts)
    for place, session in enumerate(sessions):
        inputs_hash = _inputs_hash(facts[session], base)
        run_id = _digest(chain.run_id, session.isoformat(), inputs_hash, settings_hash)
        known = runs.get(session)
        if chain.book is None and known is not None and known.run_id == run_id:
            chain.run_id, chain.last_kept = run_id, session
            continue
        if chain.book is None:
            chain.book = _book_before(stores, venue, account, chain.last_kept)
        run = PnlRun(
            venue=venue,
            account=account,
            session=session,
            run_id=run_id,
            previous_run_id=chain.run_id,
            inputs_hash=inputs_hash,
            settings_hash=settings_hash,
            fills=facts[session].fills,
            base_currency=base,
            computed_at=stores.clock.now(),
        )
        if session not in chain.fills:
            together = sessions[place : place + SESSIONS_PER_READ_MAX]
            chain.fills = _fills_of(stores, venue, account, together)
            chain.told = _told_of(stores, venue, account, {day: facts[day] for day in together})
        inputs = _inputs(session, facts[session], base, chain.fills[session], chain.told)
        chain.book, result = advance(chain.book, inputs, method)
        chain.run_id = run_id
        yield SessionOutcome(run=run, result=result, book=chain.book)


def _fills_of(
    stores: PnlStores, venue: Venue, account: str, sessions: Sequence[date]
) -> dict[date, list[Fill]]:
    by_session: dict[date, list[Fill]] = {session: [] for session in sessions}
    for fill in stores.fills.fills(venue, account, sessions):
        by_session[fill.revision.session].append(fill)
    return by_session


def _told_of(stores: PnlStores, venue: Venue, account: str, facts: Mapping[date, _Facts]) -> _Told:
    ends = {item.statement_end for item in facts.values() if item.statement_end}
    if not ends:
        return _Told()
    rates: dict[date, list[FxRate]] = {}
    for rate in stores.statements.fx_rates(venue, account, min(facts), max(facts)):
        rates.setdefault(rate.report_date, []).append(rate)
    return _Told(positions=stores.statements.positions_on(venue, account, ends), rates=rates)


def _book_before(stores: PnlStores, venue: Venue, account: str, last_kept: date | None) -> Book:
    book = stores.pnl.book(venue, account, last_kept) if last_kept is not None else None
    return book or Book(venue=venue, account=account)


def _facts(
    stores: PnlStores, venue: Venue, account: str, upto: date, headers: Sequence[StatementHeader]
) -> dict[date, _Facts]:
    facts: dict[date, _Facts] = {}

    def at(day: date) -> _Facts:
        return facts.setdefault(session_on_or_after(day), _Facts())

    for session, (digest, count) in stores.pnl.fill_digests(venue, account).items():
        at(session).fill_digest, at(session).fills = digest, count
    activity = [header for header in headers if header.kind is StatementKind.ACTIVITY]
    if activity:
        start, end = min(header.from_date for header in activity), upto
        for flow in _once_told(stores.statements.cash_flows(venue, account, start, end)):
            at(flow.report_date).flows.append(flow)
        for action in stores.statements.corporate_actions(venue, account, start, end):
            at(action.report_date).actions.append(action)
        for header in activity:
            ended = at(session_on_or_before(header.to_date))
            ended.statement_id, ended.statement_end = header.statement_id, header.to_date
        _add_opening_cash(stores, venue, account, min(activity, key=lambda item: item.from_date), facts)
    _add_opening_lots(stores.statements.opening_lots(venue, account), facts)
    return {session: item for session, item in facts.items() if session <= upto}


def _add_opening_cash(
    stores: PnlStores, venue: Venue, account: str, first: StatementHeader, facts: Mapping[date, _Facts]
) -> None:
    """The first statement's starting balances open the ledger, unless fills of ours are older than it."""
    start = min(facts)
    if start < session_on_or_after(first.from_date):
        return
    for row in stores.statements.cash(venue, account, first.to_date) or ():
        if row.currency != BASE_SUMMARY and row.from_date == first.from_date:
            facts[start].opening_cash[row.currency] = row.starting


def _add_opening_lots(lots: Sequence[OpeningLot], facts: dict[date, _Facts]) -> None:
    """Lots that are older than the files are there before the first session's fills."""
    if not lots:
        return
    start = min(facts, default=session_on_or_after(min(lot.as_of for lot in lots)))
    facts.setdefault(start, _Facts()).lots.extend(lots)


def _once_told(flows: Sequence[CashFlow]) -> Sequence[CashFlow]:
    """DETAIL rows where there are any: their SUMMARY rows say the same again."""
    details = [flow for flow in flows if flow.level is DetailLevel.DETAIL]
    return details or flows


def _inputs(
    session: date, facts: _Facts, base: str, fills: Sequence[Fill], statements: _Told
) -> SessionInputs:
    end = facts.statement_end
    positions = statements.positions.get(end, ()) if end else ()
    rates = {base: Decimal(1)} if base else {}
    for rate in statements.rates.get(session, ()) if facts.statement_id else ():
        if rate.to_currency == base:
            rates[rate.from_currency] = rate.rate
    told = [(row.currency, row.fx_rate_to_base) for row in positions]
    told += [(fill.revision.currency, fill.revision.fx_rate_to_base) for fill in fills]
    for currency, figure in told:
        if figure is not None:
            rates.setdefault(currency, figure)
    marks = {row.instrument.instrument_id: row.mark_price for row in positions if row.mark_price is not None}
    return SessionInputs(
        session=session,
        fills=fills,
        cash_flows=facts.flows,
        corporate_actions=facts.actions,
        opening_lots=[lot_of(lot, session, place) for place, lot in enumerate(facts.lots)],
        opening_cash=facts.opening_cash,
        marks=marks,
        rates_to_base=rates,
    )


def _inputs_hash(facts: _Facts, base: str) -> str:
    flows = sorted(
        f"{flow.transaction_id}|{flow.currency}|{canonical(flow.amount)}|{flow.kind}|{flow.report_date}"
        for flow in facts.flows
    )
    actions = sorted(
        f"{row.action_id}|{row.transaction_id}|{row.instrument.instrument_id}|{canonical(row.quantity)}"
        f"|{canonical(row.proceeds)}|{row.report_date}"
        for row in facts.actions
    )
    lots = sorted(
        f"{lot.instrument.instrument_id}|{canonical(lot.quantity)}|{canonical(lot.cost_basis)}|{lot.open_ts}"
        for lot in facts.lots
    )
    cash = sorted(f"{currency}|{canonical(amount)}" for currency, amount in facts.opening_cash.items())
    return _digest(facts.fill_digest, base, facts.statement_id, *flows, "#", *actions, "#", *lots, "#", *cash)


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
