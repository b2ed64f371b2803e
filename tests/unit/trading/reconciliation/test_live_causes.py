"""What explains a live difference by rule, and what does not although it looks like it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from live_positions_samples import (
    CALL,
    FRIDAY,
    INDEX,
    NEXT_MONTH,
    NOON,
    PUT,
    QUIET,
    SHARES,
    holdings,
    mine,
    two,
)

from trading.model.fills import Venue
from trading.reconciliation.breaks import Break, BreakEvent, BreakKind, Pass, Unit, next_events
from trading.reconciliation.live_causes import causes_of
from trading.reconciliation.live_positions import compare_live

EVENING = datetime(2026, 7, 17, 22, 0, tzinfo=UTC)


def _causes(
    ours: dict[str, int], theirs: dict[str, int], at: datetime = EVENING, **changes: object
) -> dict[str, str]:
    held = holdings(*(mine(name, quantity) for name, quantity in ours.items()), **changes)  # type: ignore[arg-type]
    found = compare_live(held, two(theirs, broker_at=at), QUIET)
    named = {item.key: item.instrument_id for item in found.differences}
    return {named[key]: cause[0] for key, cause in causes_of(found, held, []).items()}


def test_an_option_that_is_gone_after_its_expiry_is_a_guess_of_expiry() -> None:
    """Long or short, shares or index: after the close of the last day it may be gone."""
    assert _causes({CALL: 2, INDEX: -1}, {}) == {CALL: "expiry_pending", INDEX: "expiry_pending"}


@pytest.mark.parametrize(
    ("ours", "theirs", "at"),
    [
        ({CALL: 2}, {}, NOON),  # it trades still
        ({NEXT_MONTH: 2}, {}, EVENING),  # it does not expire today
        ({CALL: 2}, {CALL: 1}, EVENING),  # not gone
        ({}, {CALL: 1}, EVENING),  # it came
        ({SHARES: 100}, {}, EVENING),  # shares do not expire
        ({"OPT:what is this": 2}, {}, EVENING),
    ],
)
def test_what_is_no_expiry_is_not_explained_by_one(
    ours: dict[str, int], theirs: dict[str, int], at: datetime
) -> None:
    """Each of these is open."""
    assert _causes(ours, theirs, at) == {}


def test_an_assignment_before_expiry_is_tied_to_its_shares() -> None:
    """A short call that went and exactly its shares that went with it, in the middle of the day."""
    found = _causes({NEXT_MONTH: -2, SHARES: 300}, {NEXT_MONTH: -1, SHARES: 200}, NOON)
    assert found == {NEXT_MONTH: "assignment_pending", SHARES: "delivery_pending"}


def test_an_exercise_brings_shares() -> None:
    """A long put that went took a hundred shares with it; a long call would have brought them."""
    assert _causes({PUT: 1}, {SHARES: -100}) == {PUT: "exercise_pending", SHARES: "delivery_pending"}
    assert _causes({CALL: 1}, {SHARES: -100}) == {CALL: "expiry_pending"}


def test_of_expired_options_those_that_delivered_are_found() -> None:
    """One of two expired worthless; the shares are of the other."""
    found = _causes({CALL: 1, PUT: -3}, {SHARES: 300})
    assert found == {CALL: "expiry_pending", PUT: "assignment_pending", SHARES: "delivery_pending"}


def test_shares_that_no_booking_brings_are_open() -> None:
    """Ninety-nine shares, or shares beside an index option, which settles in cash."""
    assert _causes({CALL: 1}, {SHARES: 99}) == {CALL: "expiry_pending"}
    assert _causes({INDEX: 1}, {SHARES: 100}) == {INDEX: "expiry_pending"}
    assert _causes({}, {SHARES: 100}) == {}


def test_an_option_that_went_early_without_its_shares_is_open() -> None:
    """Nothing explains it; nor does anybody know which of two equal ones the shares are of."""
    assert _causes({NEXT_MONTH: -2}, {}, NOON) == {}
    other = "OPT:CLF   260821C00013000"
    assert _causes({NEXT_MONTH: -1, other: -1}, {SHARES: -100}, NOON) == {}
    both = _causes({NEXT_MONTH: -1, other: -1}, {SHARES: -200}, NOON)
    assert set(both.values()) == {"assignment_pending", "delivery_pending"}


def test_a_difference_beside_an_assignment_stays_open() -> None:
    """The put that is missing for another reason does not hide that the call brought its shares."""
    put = "OPT:CLF   260821P00007000"
    found = _causes({NEXT_MONTH: -1, put: -1}, {SHARES: -100}, NOON)
    assert found == {NEXT_MONTH: "assignment_pending", SHARES: "delivery_pending"}


def test_what_was_closed_without_an_opening_explains_its_own_quantity_only() -> None:
    """We hold minus four because four were closed whose opening is in no file."""
    held = holdings(mine(NEXT_MONTH, -4, missing=Decimal(-4)))
    for theirs, expected in (({}, "missing_history"), ({NEXT_MONTH: 1}, None)):
        found = compare_live(held, two(theirs), QUIET)
        causes = {key: cause[0] for key, cause in causes_of(found, held, []).items()}
        assert set(causes.values()) == ({expected} if expected else set())


def test_before_the_first_books_only_what_we_never_traded_is_history() -> None:
    """A contract that we have fills of must agree with them, books or not."""
    assert _causes({}, {NEXT_MONTH: 3}, NOON, base=None) == {NEXT_MONTH: "missing_history"}
    assert _causes({NEXT_MONTH: 1}, {NEXT_MONTH: 3}, NOON, base=None) == {}
    assert _causes({}, {NEXT_MONTH: 3}, NOON) == {}


def test_what_the_statement_told_already_is_not_told_twice() -> None:
    """The same contract with the same difference has its break, and its lock, from the final pass."""
    held = holdings(mine(NEXT_MONTH, 2))
    found = compare_live(held, two({}), QUIET)
    for difference, explained in ((2, True), (1, False)):
        causes = causes_of(found, held, [_reconciled(difference)])
        assert bool(causes) is explained


def _reconciled(difference: int) -> BreakEvent:
    told = Break(
        venue=Venue.IBKR, account="DU1", session=FRIDAY, kind=BreakKind.POSITION, instrument_id=NEXT_MONTH,
        unit=Unit.QUANTITY, ours=Decimal(difference), theirs=Decimal(0), difference=Decimal(difference),
    )  # fmt: skip
    return next_events([told], {}, Pass.FINAL, EVENING)[0]
