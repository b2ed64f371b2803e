"""Watch the broker's positions: a difference from our fills becomes a break and a lock, and lifts itself.

Everything that is concluded is concluded from the warehouse: the newest complete answers, the books and
the fills since. So a look after a restart, after a flush of Redis or for the second time says the same, and
what a kill left half done (a break without its lock, a lock that Redis does not have, a lock of a break that
is gone) is finished by the next look. Broken answers are never seen here: nothing follows from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.model.fills import Venue
from trading.model.money import ZERO, canonical
from trading.ports.alerts import Alerts
from trading.ports.break_store import BreakStore
from trading.ports.clock import Clock
from trading.ports.live_state import LiveState
from trading.ports.position_record import PositionRecord
from trading.reconciliation.breaks import (
    Break,
    BreakEvent,
    BreakKind,
    BreakState,
    Pass,
    next_events,
)
from trading.reconciliation.live_causes import causes_of, with_live_cause
from trading.reconciliation.live_positions import (
    LivePositions,
    OurHoldings,
    PositionsAnswer,
    compare_live,
    continued,
    live_break,
    session_of,
)
from trading.reconciliation.locks import LockEvent, live_locks, next_lock_events
from trading.services.alert_breaks import code_of
from trading.services.rewrite_live_state import rebuild_locks
from trading.settings import ReconciliationSettings

ANSWERS_AGE_MAX = timedelta(hours=1)  # older ones say nothing about now
STANDING = (BreakState.OPEN, BreakState.EXPLAINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchTools:
    """What the watch needs; `quiet_period` is in seconds of this machine."""

    record: PositionRecord
    breaks: BreakStore
    live_state: LiveState
    alerts: Alerts
    clock: Clock
    settings: ReconciliationSettings
    quiet_period: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWatch:
    """What one look at one account found and changed."""

    account: str
    compared: int
    undecided: int
    standing: tuple[BreakEvent, ...]
    new_events: tuple[BreakEvent, ...]
    lock_events: tuple[LockEvent, ...]

    @property
    def open_breaks(self) -> tuple[BreakEvent, ...]:
        """Differences that no rule and nobody explains."""
        return tuple(event for event in self.standing if event.state is BreakState.OPEN)


def watch_positions(tools: WatchTools, stored_by: datetime | None = None) -> Sequence[AccountWatch]:
    """Look at every account that answered lately; call it after each complete answer that was drained.

    Who looks while more is being drained says up to when everything was stored: an answer may be there before
    the fills that came with it, and would look like a difference.
    """
    answers = tools.record.answers(Venue.IBKR, tools.clock.now() - ANSWERS_AGE_MAX, stored_by)
    watches = [_watched(tools, Venue.IBKR, account, told) for account, told in sorted(answers.items())]
    _keep_live_locks(tools)
    return watches


def _watched(
    tools: WatchTools, venue: Venue, account: str, answers: Sequence[PositionsAnswer]
) -> AccountWatch:
    ours = tools.record.holdings(venue, account)
    found = compare_live(ours, answers, tools.quiet_period)
    before = tools.breaks.breaks(venue=venue, account=account, states=STANDING)
    live = [event for event in before if event.found.kind is BreakKind.LIVE_POSITION]
    items = _breaks(found, ours, before, live)
    events = next_events(items, _known(tools, found, items, live), Pass.LIVE, tools.clock.now())
    if events:
        tools.breaks.append(events)
    standing = {event.break_id: event for event in (*live, *events)}
    lock_events = _keep_locks(tools, venue, account, standing, before)
    for event in events:
        if event.state is BreakState.OPEN:
            tools.alerts.raise_alert(code_of(event), _words(event))
        else:
            tools.alerts.end_alert(code_of(event), f"the break is {event.state}")
    return AccountWatch(
        account=account,
        compared=found.compared,
        undecided=len(found.undecided),
        standing=tuple(event for event in standing.values() if event.state in STANDING),
        new_events=tuple(events),
        lock_events=tuple(lock_events),
    )


def _breaks(
    found: LivePositions, ours: OurHoldings, before: Sequence[BreakEvent], live: Sequence[BreakEvent]
) -> list[Break]:
    if found.broker_at is None:
        return []
    reconciled = [event for event in before if event.made_in is not Pass.LIVE]
    causes = causes_of(found, ours, reconciled)
    session = session_of(found.broker_at)
    return [
        continued(
            with_live_cause(live_break(item, ours, session), causes.get(item.key)),
            [event.found for event in live],
        )
        for item in found.differences
    ]


def _known(
    tools: WatchTools, found: LivePositions, items: Sequence[Break], live: Sequence[BreakEvent]
) -> Mapping[str, BreakEvent]:
    """What the look may change: breaks it can decide on, and those that it finds again after a closing."""
    known = {
        event.break_id: event for event in live if found.decides(event.found.conid, event.found.instrument_id)
    }
    for item in items:
        if item.break_id not in known:
            event = tools.breaks.find(item.break_id)
            known.update({} if event is None else {item.break_id: event})
    return known


def _keep_locks(
    tools: WatchTools,
    venue: Venue,
    account: str,
    standing: Mapping[str, BreakEvent],
    before: Sequence[BreakEvent],
) -> Sequence[LockEvent]:
    """Set and lift; a lock that outlived its break is one that a kill left behind."""
    locks = {lock.break_id: lock for lock in tools.breaks.locks()}
    told = {*standing, *(event.break_id for event in before)}
    orphans = [
        tools.breaks.find(lock.break_id)
        for lock in locks.values()
        if lock.is_active and lock.account == account and lock.break_id not in told
    ]
    ours = [event for event in orphans if event is not None and event.made_in is Pass.LIVE]
    events = next_lock_events(
        [*standing.values(), *ours],
        locks,
        tools.settings,
        tools.clock.now(),
        may_set=bool(standing) and tools.breaks.has_signed_off(venue, account),
    )
    if events:
        tools.breaks.append_locks(events)
    return events


def _words(event: BreakEvent) -> str:
    found = event.found
    ours, theirs = (canonical(side) for side in (found.ours or ZERO, found.theirs or ZERO))
    return f"{found.account} {found.instrument_id}: we hold {ours} by our fills, the broker says {theirs}"


def _keep_live_locks(tools: WatchTools) -> None:
    """Make Redis say what the warehouse says: after a change, a flush, or a kill between the two."""
    wanted = {(lock.scope, lock.scope_id) for lock in live_locks(tools.breaks.locks())}
    there = {(lock.scope, lock.scope_id) for lock in tools.live_state.locks()}
    if there != wanted or tools.live_state.locks_epoch() is None:
        rebuild_locks(tools.live_state, tools.breaks, tools.clock.now())
