"""The life of a break and of its lock: what a check adds, what it leaves to people, what closes by itself."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from reconciled_desk import SETTINGS

from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.ports.live_state import LockScope
from trading.reconciliation.breaks import (
    Break,
    BreakKind,
    BreakState,
    Pass,
    Unit,
    closed_by,
    explained,
    next_events,
)
from trading.reconciliation.locks import LockAction, lifted_by, live_locks, next_lock_events, scope_of
from trading.reconciliation.sign_off import SessionState, sign_off_of

AT = datetime(2026, 7, 18, 11, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
CENT = Break(
    venue=Venue.IBKR,
    account="U1",
    session=date(2026, 7, 17),
    kind=BreakKind.REALIZED,
    instrument_id="OPT:X",
    conid=7,
    symbol="X",
    underlying="X",
    currency="USD",
    unit=Unit.MONEY,
    ours=Decimal("1.01"),
    theirs=Decimal(1),
    difference=Decimal("0.01"),
    difference_base=Decimal("0.01"),
)
OPEN = next_events([CENT], {}, Pass.FINAL, AT)[0]
KNOWN = {OPEN.break_id: OPEN}


def test_the_id_is_of_what_the_break_is_about_and_not_of_its_size() -> None:
    """A figure that changes is the same break; another session, kind or contract is another."""
    assert replace(CENT, ours=Decimal(5), note="x").break_id == CENT.break_id
    others = [
        replace(CENT, session=date(2026, 7, 20)),
        replace(CENT, kind=BreakKind.CASH),
        replace(CENT, account="U2"),
    ]
    assert len({CENT.break_id, *(item.break_id for item in others)}) == 4


def test_finding_the_same_again_adds_nothing() -> None:
    """The second run of a check is silent."""
    assert next_events([CENT], KNOWN, Pass.FINAL, LATER) == []


def test_changed_figures_are_a_new_event() -> None:
    """Two cents now: the sequence goes on."""
    two = replace(CENT, ours=Decimal("1.02"), difference=Decimal("0.02"))
    events = next_events([two], KNOWN, Pass.FINAL, LATER)
    assert [(event.sequence, event.found.difference) for event in events] == [(2, Decimal("0.02"))]


def test_a_break_that_is_gone_closes_itself_once() -> None:
    """And stays closed in silence, until it is found again."""
    closed = next_events([], KNOWN, Pass.FINAL, LATER)
    assert [event.state for event in closed] == [BreakState.CLOSED]
    after = {closed[0].break_id: closed[0]}
    assert next_events([], after, Pass.FINAL, LATER) == []
    assert [event.state for event in next_events([CENT], after, Pass.FINAL, LATER)] == [BreakState.OPEN]


def test_a_provisional_pass_does_not_close_what_the_statement_found() -> None:
    """The evening's view knows less than the morning's."""
    assert next_events([], KNOWN, Pass.PROVISIONAL, LATER) == []


def test_a_persons_word_stands_while_the_figures_stand() -> None:
    """Explained stays explained; other figures open it again."""
    said = explained(OPEN, "M. Office", "the broker confirmed it", LATER)
    known = {said.break_id: said}
    assert next_events([CENT], known, Pass.FINAL, LATER) == []
    two = replace(CENT, ours=Decimal("1.02"), difference=Decimal("0.02"))
    assert [event.state for event in next_events([two], known, Pass.FINAL, LATER)] == [BreakState.OPEN]


@pytest.mark.parametrize(("author", "note"), [("", "why"), ("reconciliation", "why"), ("M. Office", " ")])
def test_a_person_has_a_name_and_a_reason(author: str, note: str) -> None:
    """Nobody explains or closes in nobody's name or without a word."""
    for step in (explained, closed_by):
        with pytest.raises(InvalidFieldError):
            step(OPEN, author, note, LATER)


@pytest.mark.parametrize(
    ("size", "instrument", "scope", "key"),
    [
        ("99.99", "OPT:X", LockScope.CONTRACT, "U1:7"),
        ("100", "OPT:X", LockScope.UNDERLYING, "U1:X"),
        ("999.99", "OPT:X", LockScope.UNDERLYING, "U1:X"),
        ("1000", "OPT:X", LockScope.ACCOUNT, "U1"),
        (None, "OPT:X", LockScope.ACCOUNT, "U1"),
        ("1", "", LockScope.ACCOUNT, "U1"),
    ],
)
def test_a_lock_is_graded_by_size(size: str | None, instrument: str, scope: LockScope, key: str) -> None:
    """Under 100 the contract, under 1,000 the underlying, above, unknown or of no contract the account."""
    item = replace(CENT, difference_base=None if size is None else Decimal(size), instrument_id=instrument)
    assert scope_of(item, SETTINGS) == (scope, key)


def test_nothing_is_locked_before_the_first_sign_off_or_by_a_provisional_or_explained_break() -> None:
    """A first import, an evening's view and a known cause endanger nobody."""
    provisional = replace(OPEN, made_in=Pass.PROVISIONAL)
    known_cause = replace(OPEN, state=BreakState.EXPLAINED)
    assert next_lock_events([OPEN], {}, SETTINGS, AT, may_set=False) == []
    assert next_lock_events([provisional, known_cause], {}, SETTINGS, AT, may_set=True) == []


def test_the_check_lifts_its_lock_when_the_break_is_gone() -> None:
    """And does so even before any sign-off is asked for."""
    (lock,) = next_lock_events([OPEN], {}, SETTINGS, AT, may_set=True)
    closed = replace(OPEN, state=BreakState.CLOSED)
    (lifted,) = next_lock_events([closed], {lock.break_id: lock}, SETTINGS, LATER, may_set=False)
    assert (lifted.action, lifted.sequence) == (LockAction.LIFTED, 2)


def test_a_lock_lifted_by_a_person_comes_back_only_with_new_figures() -> None:
    """The same break does not undo the person; a grown one does."""
    (lock,) = next_lock_events([OPEN], {}, SETTINGS, AT, may_set=True)
    lifted = lifted_by(lock, "M. Office", "checked by hand", LATER)
    known = {lifted.break_id: lifted}
    assert next_lock_events([OPEN], known, SETTINGS, LATER, may_set=True) == []
    grown = replace(OPEN, sequence=2, event_at=LATER + timedelta(hours=1))
    assert [event.action for event in next_lock_events([grown], known, SETTINGS, LATER, may_set=True)] == [
        LockAction.SET
    ]


def test_two_breaks_of_one_scope_are_one_live_lock_until_both_are_gone() -> None:
    """The live state holds scopes, the warehouse holds why."""
    other = next_events([replace(CENT, kind=BreakKind.COMMISSION)], {}, Pass.FINAL, AT)[0]
    first, second = next_lock_events([OPEN, other], {}, SETTINGS, AT, may_set=True)
    assert [lock.scope_id for lock in live_locks([first, second])] == ["U1:7"]
    lifted = lifted_by(first, "M. Office", "checked", LATER)
    assert len(live_locks([lifted, second])) == 1
    assert live_locks([lifted, lifted_by(second, "M. Office", "checked", LATER)]) == []


@pytest.mark.parametrize(
    ("made_in", "breaks", "state"),
    [
        (None, [], SessionState.AWAITING_STATEMENT),
        (Pass.PROVISIONAL, [], SessionState.PROVISIONAL),
        (Pass.FINAL, [], SessionState.RECONCILED),
        (Pass.FINAL, [replace(OPEN, state=BreakState.EXPLAINED)], SessionState.RECONCILED),
        (Pass.FINAL, [OPEN], SessionState.BROKEN),
    ],
)
def test_only_a_final_pass_without_open_breaks_signs_off(
    made_in: Pass | None, breaks: list[object], state: SessionState
) -> None:
    """The states of a session."""
    word = sign_off_of(
        Venue.IBKR,
        "U1",
        date(2026, 7, 17),
        breaks,
        made_in=made_in,
        run_id="",
        statement_sha256="",
        at=AT,  # type: ignore[arg-type]
    )
    assert word.state is state
