"""Locks: what a break that nobody explains keeps from being entered, by its size.

A lock belongs to the break that set it. It is set by a final check and by the live look at positions, never
by a provisional one, and only once the account was signed off before (a first import is full of differences
that endanger nobody). It is lifted by the check when the break is gone or explained, or by a named person; a
lock that a person lifted comes back only when the break's figures change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.ports.live_state import Lock, LockScope
from trading.reconciliation.breaks import HASH_DIGITS, THE_CHECK, Break, BreakEvent, BreakState, Pass
from trading.settings import ReconciliationSettings

LOCKING = frozenset({Pass.FINAL, Pass.LIVE})


class LockAction(StrEnum):
    """What happened to a lock."""

    SET = "set"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockEvent:
    """One step in a lock's life; the highest sequence says how it stands."""

    venue: Venue
    account: str
    scope: LockScope
    scope_key: str
    session: date
    break_id: str
    size_base: Decimal | None
    reason: str
    action: LockAction
    author: str
    sequence: int
    event_at: datetime

    @property
    def lock_id(self) -> str:
        """20 hex digits: one lock per break."""
        return sha256(f"lock\x1f{self.break_id}".encode()).hexdigest()[:HASH_DIGITS]

    @property
    def is_active(self) -> bool:
        """Whether entries are refused."""
        return self.action is LockAction.SET


def next_lock_events(
    breaks: Iterable[BreakEvent],
    known: Mapping[str, LockEvent],
    settings: ReconciliationSettings,
    at: datetime,
    *,
    may_set: bool,
) -> list[LockEvent]:
    """Turn breaks as they stand into the new lock events; `known` are the latest locks by break id."""
    events: list[LockEvent] = []
    for item in breaks:
        last = known.get(item.break_id)
        wanted = item.state is BreakState.OPEN and item.made_in in LOCKING
        if wanted and may_set:
            events.extend(_set(item, last, settings, at))
        elif not wanted and last is not None and last.is_active:
            reason = f"the break is {item.state}"
            events.append(_next(last, LockAction.LIFTED, THE_CHECK, reason, at))
    return events


def lifted_by(last: LockEvent, author: str, reason: str, at: datetime) -> LockEvent:
    """A named person lifts a lock, with a reason."""
    if not last.is_active:
        raise InvalidFieldError("lock", "an active lock", last.lock_id)
    if not author.strip() or author == THE_CHECK:
        raise InvalidFieldError("author", "the name of a person", author)
    if not reason.strip():
        raise InvalidFieldError("reason", "a reason in words", reason)
    return _next(last, LockAction.LIFTED, author, reason, at)


def scope_of(found: Break, settings: ReconciliationSettings) -> tuple[LockScope, str]:
    """Grade a break: under the first bar its contract, under the second its underlying, else the account.

    A size that is not known locks the account; so does cash, which is of no contract.
    """
    size = found.difference_base
    if size is None or not found.instrument_id or size >= settings.lock_underlying_below:
        return LockScope.ACCOUNT, found.account
    if size < settings.lock_contract_below:
        key = found.instrument_id if found.conid is None else str(found.conid)
        return LockScope.CONTRACT, f"{found.account}:{key}"
    return LockScope.UNDERLYING, f"{found.account}:{found.underlying}"


def live_locks(events: Iterable[LockEvent]) -> Sequence[Lock]:
    """What the live state must hold: one lock per scope, since its oldest, with the newest reason."""
    active: dict[tuple[LockScope, str], list[LockEvent]] = {}
    for event in events:
        if event.is_active:
            active.setdefault((event.scope, event.scope_key), []).append(event)
    return [
        Lock(
            scope=scope,
            scope_id=key,
            reason="; ".join(sorted({event.reason for event in group})),
            since=min(event.event_at for event in group),
        )
        for (scope, key), group in sorted(active.items())
    ]


def _set(
    item: BreakEvent, last: LockEvent | None, settings: ReconciliationSettings, at: datetime
) -> Iterable[LockEvent]:
    found = item.found
    scope, key = scope_of(found, settings)
    wanted = LockEvent(
        venue=found.venue,
        account=found.account,
        scope=scope,
        scope_key=key,
        session=found.session,
        break_id=item.break_id,
        size_base=found.difference_base,
        reason=f"{found.kind} break {item.break_id} of {found.session}",
        action=LockAction.SET,
        author=THE_CHECK,
        sequence=1 if last is None else last.sequence + 1,
        event_at=at,
    )
    if last is None:
        yield wanted
    elif last.is_active:
        if (last.scope, last.scope_key) != (scope, key):
            yield wanted
    elif last.author == THE_CHECK or item.event_at > last.event_at:
        yield wanted


def _next(last: LockEvent, action: LockAction, author: str, reason: str, at: datetime) -> LockEvent:
    return replace(last, action=action, author=author, reason=reason, sequence=last.sequence + 1, event_at=at)
