"""A break: one difference between our books and the broker's, its identity and its life as events.

A break is found by the check, explained by a rule or a person, and closed when it is gone. Its id is computed
from what it is about, never from when it was found, so that running the check twice changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.model.money import canonical

THE_CHECK = "reconciliation"  # author of what the check itself writes
HASH_DIGITS = 20


class BreakKind(StrEnum):
    """What differs."""

    QUANTITY = "quantity"
    PRICE = "price"
    MULTIPLIER = "multiplier"
    COMMISSION = "commission"
    REALIZED = "realized"
    POSITION = "position"
    COST_BASIS = "cost_basis"
    CASH = "cash"
    MARK = "mark"
    MISSING_FILL = "missing_fill"
    EXTRA_FILL = "extra_fill"
    MISSING_HISTORY = "missing_history"
    LIVE_POSITION = "live_position"  # our fills against the broker's positions, while the day goes on


class Unit(StrEnum):
    """What ours, theirs and difference are counted in."""

    MONEY = "money"
    QUANTITY = "quantity"
    PRICE = "price"


class BreakState(StrEnum):
    """open: nobody knows why; explained: a rule or a person knows; closed: it is gone."""

    OPEN = "open"
    EXPLAINED = "explained"
    CLOSED = "closed"


class Pass(StrEnum):
    """Against live executions and confirmations in the evening, against the Activity statement next morning,
    or all day long against the positions that the broker's interface tells.
    """

    PROVISIONAL = "provisional"
    FINAL = "final"
    LIVE = "live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One difference; difference = ours - theirs, in `unit`. difference_base is its size in base currency,
    if known.
    """

    venue: Venue
    account: str
    session: date
    kind: BreakKind
    instrument_id: str = ""
    conid: int | None = None
    symbol: str = ""
    underlying: str = ""
    currency: str = ""
    item_key: str = ""
    unit: Unit
    ours: Decimal | None
    theirs: Decimal | None
    difference: Decimal
    difference_base: Decimal | None = None
    cause: str = ""
    note: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def break_id(self) -> str:
        """20 hex digits over what the break is about."""
        return _digest(
            self.venue,
            self.account,
            self.session.isoformat(),
            self.kind,
            self.instrument_id,
            self.currency,
            self.item_key,
        )

    @property
    def state(self) -> BreakState:
        """A break with a cause is explained."""
        return BreakState.EXPLAINED if self.cause else BreakState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEvent:
    """One step in a break's life; the highest sequence says how it stands."""

    found: Break
    sequence: int
    state: BreakState
    made_in: Pass
    author: str
    event_at: datetime

    @property
    def break_id(self) -> str:
        """Of the break."""
        return self.found.break_id

    @property
    def event_id(self) -> str:
        """20 hex digits over the step and what it says, so that two equal writers write one row."""
        found = self.found
        figures = (found.ours, found.theirs, found.difference)
        return _digest(
            self.break_id,
            str(self.sequence),
            self.state,
            self.made_in,
            self.author,
            found.cause,
            found.note,
            *("" if figure is None else canonical(figure) for figure in figures),
        )


def next_events(
    found: Iterable[Break], known: Mapping[str, BreakEvent], made_in: Pass, at: datetime
) -> list[BreakEvent]:
    """Turn what a check found into the events that are new; `known` are the session's breaks as they stand.

    A known break that is found again with the same figures and the same cause adds nothing; one that a person
    explained stays explained while its figures stand. What is not found any more is closed, except that a
    provisional pass closes only what a provisional pass opened, and that the live look and the passes by
    statement leave one another's breaks alone: they look at different moments.
    """
    events: list[BreakEvent] = []
    seen: set[str] = set()
    for item in found:
        seen.add(item.break_id)
        event = _event_for(item, known.get(item.break_id), made_in, at)
        if event is not None:
            events.append(event)
    gone = [event for break_id, event in sorted(known.items()) if break_id not in seen]
    events.extend(_closed(event, made_in, at) for event in gone if _may_close(event, made_in))
    return events


def explained(event: BreakEvent, author: str, note: str, at: datetime) -> BreakEvent:
    """A person says why a break is there. Refuses a closed break and an empty note."""
    if event.state is BreakState.CLOSED:
        raise InvalidFieldError("state", "a break that is not closed", event.state)
    return _by_person(event, BreakState.EXPLAINED, author, note, at)


def closed_by(event: BreakEvent, author: str, note: str, at: datetime) -> BreakEvent:
    """A person closes a break; if the next check finds it again, it is open again."""
    return _by_person(event, BreakState.CLOSED, author, note, at)


def _by_person(event: BreakEvent, state: BreakState, author: str, note: str, at: datetime) -> BreakEvent:
    if not author.strip() or author == THE_CHECK:
        raise InvalidFieldError("author", "the name of a person", author)
    if not note.strip():
        raise InvalidFieldError("note", "a reason in words", note)
    found = replace(event.found, cause=event.found.cause or "explained_by_person", note=note)
    return replace(event, found=found, sequence=event.sequence + 1, state=state, author=author, event_at=at)


def _event_for(item: Break, last: BreakEvent | None, made_in: Pass, at: datetime) -> BreakEvent | None:
    if last is None:
        return _event(item, 1, item.state, made_in, at)
    same_figures = (last.found.ours, last.found.theirs) == (item.ours, item.theirs)
    by_person = last.author != THE_CHECK and last.state is BreakState.EXPLAINED
    if same_figures and by_person:
        return None
    same = (
        same_figures
        and last.state is item.state
        and last.found.cause == item.cause
        and last.made_in is made_in
    )
    return None if same else _event(item, last.sequence + 1, item.state, made_in, at)


def _event(item: Break, sequence: int, state: BreakState, made_in: Pass, at: datetime) -> BreakEvent:
    return BreakEvent(
        found=item, sequence=sequence, state=state, made_in=made_in, author=THE_CHECK, event_at=at
    )


def _may_close(event: BreakEvent, made_in: Pass) -> bool:
    if event.state is BreakState.CLOSED:
        return False
    if Pass.LIVE in (made_in, event.made_in):
        return made_in is event.made_in
    return made_in is Pass.FINAL or event.made_in is Pass.PROVISIONAL


def _closed(event: BreakEvent, made_in: Pass, at: datetime) -> BreakEvent:
    return replace(
        event,
        sequence=event.sequence + 1,
        state=BreakState.CLOSED,
        made_in=made_in,
        author=THE_CHECK,
        event_at=at,
        found=replace(event.found, note="no longer there"),
    )


def open_of(events: Iterable[BreakEvent]) -> Sequence[BreakEvent]:
    """Those that are open."""
    return [event for event in events if event.state is BreakState.OPEN]


def _digest(*parts: str) -> str:
    text = "\x1f".join(map(str, parts))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]
