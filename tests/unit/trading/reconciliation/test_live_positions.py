"""Live positions: when an answer is believed, what is a difference, and what is left undecided."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from live_positions_samples import (
    CALL,
    CONIDS,
    FRIDAY,
    NOON,
    PUT,
    QUIET,
    SHARES,
    answer,
    holdings,
    mine,
    two,
)

from trading.reconciliation.breaks import Break, BreakKind
from trading.reconciliation.live_positions import (
    LivePositions,
    compare_live,
    continued,
    live_break,
    session_of,
)


def _keys(found: LivePositions) -> set[str]:
    return {item.instrument_id for item in found.differences}


def test_two_answers_that_agree_with_the_fills_find_nothing() -> None:
    """Everything was compared and nothing is undecided."""
    found = compare_live(holdings(mine(CALL, 2), mine(SHARES, 100)), two({CALL: 2, SHARES: 100}), QUIET)
    assert (found.differences, found.undecided, found.compared) == ((), frozenset(), 2)


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        ({CALL: 2}, {CALL: 3}, {CALL}),
        ({CALL: 2}, {}, {CALL}),
        ({}, {CALL: 1}, {CALL}),
        ({CALL: 2}, {CALL: -2}, {CALL}),
        ({CALL: 2, PUT: 1}, {CALL: 1, PUT: 2}, {CALL, PUT}),
        ({CALL: 0}, {}, set()),
    ],
)
def test_a_difference_is_named_when_two_answers_say_the_same(
    ours: dict[str, int], theirs: dict[str, int], names: set[str]
) -> None:
    """More, less, gone, unknown to us, turned around; a closed contract that is flat there is none."""
    found = compare_live(holdings(*(mine(name, n) for name, n in ours.items())), two(theirs), QUIET)
    assert _keys(found) == names


def test_one_answer_concludes_nothing() -> None:
    """Neither that a contract differs nor that it agrees."""
    found = compare_live(holdings(mine(CALL, 2)), [answer(20, {})], QUIET)
    assert not found.differences
    assert not found.decides(CONIDS[CALL], CALL)
    assert not found.decides(None, "OPT:NEVER SEEN")


def test_no_answer_concludes_nothing() -> None:
    """A broker that was never asked, or whose answers all failed, holds nobody flat."""
    found = compare_live(holdings(mine(CALL, 2)), [], QUIET)
    assert not found.differences
    assert not found.is_conclusive


def test_an_answer_of_a_session_that_the_books_have_decides_nothing() -> None:
    """The statement brought expiries and later fills of the day; the broker's noon did not know them yet."""
    found = compare_live(holdings(mine(CALL, 2), base=FRIDAY), two({}), QUIET)
    assert not found.differences
    assert not found.decides(CONIDS[CALL], CALL)


def test_two_answers_that_say_different_things_leave_the_contract_undecided() -> None:
    """The broker's position is on its way somewhere; the third answer will tell."""
    ours = holdings(mine(CALL, 2))
    moving = [answer(20, {CALL: 2}), answer(40, {CALL: 5})]
    assert compare_live(ours, moving, QUIET).undecided == {str(CONIDS[CALL])}
    settled = [*moving, answer(60, {CALL: 5})]
    assert _keys(compare_live(ours, settled, QUIET)) == {CALL}


def test_an_answer_within_the_quiet_period_after_a_fill_is_not_believed() -> None:
    """A fill that came at noon spoils the answers asked up to ten seconds later, of its contract only."""
    ours = holdings(mine(CALL, 2, changed_at=NOON + timedelta(seconds=15)), mine(PUT, 1))
    found = compare_live(ours, two({}), QUIET)
    assert _keys(found) == {PUT}
    assert found.undecided == {str(CONIDS[CALL])}
    assert _keys(compare_live(ours, [*two({}), answer(60, {})], QUIET)) == {CALL, PUT}


def test_an_answer_asked_exactly_a_quiet_period_later_is_believed() -> None:
    """The bound itself is quiet."""
    ours = holdings(mine(CALL, 2, changed_at=NOON + timedelta(seconds=10)))
    assert _keys(compare_live(ours, two({}), QUIET)) == {CALL}


def test_an_account_that_is_traded_all_the_time_is_judged_by_the_contracts_that_rest() -> None:
    """The answer's older trusted ones do not count for a contract whose fills came after them."""
    ours = holdings(mine(CALL, 2, changed_at=NOON + timedelta(seconds=35)))
    answers = [answer(0, {CALL: 1}), answer(20, {CALL: 1}), answer(40, {CALL: 1})]
    assert not compare_live(ours, answers, QUIET).differences


def test_both_sides_meet_by_conid_whatever_they_call_the_contract() -> None:
    """The broker's name of an adjusted contract may be another one; a conversion is cash and no position."""
    renamed, conversion = answer(0, {"OPT:CLF1  260717C00011500": 2, "FX:EURUSD": 5000}).positions
    rows = (replace(renamed, conid=CONIDS[CALL]), conversion)
    answers = [answer(at, {}, positions=rows) for at in (20, 40)]
    assert not compare_live(holdings(mine(CALL, 2)), answers, QUIET).differences


def test_a_break_is_sized_by_the_mark_and_unknown_without_one() -> None:
    """Two contracts of 100 at 2 dollars are 400 in base currency; without mark or rate nobody knows."""
    ours = holdings(mine(CALL, 2), mine(PUT, 1, mark=None), mine(SHARES, 10, rate_to_base=None))
    found = compare_live(ours, two({"OPT:XYZ   260821C00001000": 1}), QUIET)
    breaks = [live_break(item, ours, FRIDAY) for item in found.differences]
    sizes = {item.instrument_id: item.difference_base for item in breaks}
    assert sizes == {CALL: 400, PUT: None, SHARES: None, "OPT:XYZ   260821C00001000": None}
    unknown = next(item for item in breaks if item.ours == 0)
    assert (unknown.kind, unknown.theirs, unknown.underlying) == (BreakKind.LIVE_POSITION, 1, "XYZ")
    assert unknown.difference == Decimal(-1)


def test_a_difference_keeps_its_identity_over_midnight() -> None:
    """Found again the next day it is the same break, not a second one."""
    ours = holdings(mine(CALL, 2))
    (item,) = compare_live(ours, two({}), QUIET).differences
    first: Break = live_break(item, ours, FRIDAY)
    again = live_break(item, ours, FRIDAY + timedelta(days=3))
    assert again.break_id != first.break_id
    assert continued(again, [first]).break_id == first.break_id
    assert continued(again, []).break_id == again.break_id


def test_the_session_is_the_brokers() -> None:
    """A simulated broker may play another day than this machine's."""
    assert session_of(NOON) == FRIDAY
