"""The watch over positions: break and lock, lifted by themselves, from the warehouse alone, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from alert_ends import shows_the_end_of
from live_positions_samples import (
    ACCOUNT,
    CALL,
    FRIDAY,
    NEXT_MONTH,
    NOON,
    QUIET,
    ToldPositions,
    answer,
    holdings,
    mine,
    two,
)
from reconciled_desk import SETTINGS

from adapters.memory.alerts import MemoryAlerts
from adapters.memory.break_store import MemoryBreakStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from trading.model.fills import Venue
from trading.ports.clock import Clock
from trading.ports.live_state import LockScope
from trading.reconciliation.breaks import BreakKind, BreakState, Pass, explained
from trading.reconciliation.locks import lifted_by
from trading.reconciliation.sign_off import SessionState, sign_off_of
from trading.services.watch_positions import AccountWatch, WatchTools, watch_positions

VENUE = Venue.IBKR


class MinuteHand(Clock):
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at: datetime = NOON + timedelta(minutes=1)

    def now(self) -> datetime:
        """What it shows."""
        return self.at


@pytest.fixture
def tools() -> WatchTools:
    """An account that was signed off before, holding two calls that the broker has too."""
    tools = WatchTools(
        record=ToldPositions(holdings(mine(CALL, 2))),
        breaks=MemoryBreakStore(MemoryFillStore()),
        live_state=MemoryLiveState(),
        alerts=MemoryAlerts(),
        clock=MinuteHand(),
        settings=SETTINGS,
        quiet_period=QUIET,
    )
    _sign_off(tools)
    return tools


def _sign_off(tools: WatchTools) -> None:
    word = sign_off_of(
        VENUE, ACCOUNT, FRIDAY - timedelta(days=1), [], made_in=Pass.FINAL, run_id="r", statement_sha256="s",
        at=NOON,
    )  # fmt: skip
    tools.breaks.put_sign_off(word)


def _tell(tools: WatchTools, told: Mapping[str, int], at: int = 20) -> AccountWatch:
    """Two answers, then a look."""
    assert isinstance(tools.record, ToldPositions)
    tools.record.told += [answer(at, told), answer(at + 20, told)]
    (watch,) = watch_positions(tools)
    return watch


def _scopes(tools: WatchTools) -> list[LockScope]:
    return [lock.scope for lock in tools.live_state.locks()]


def test_a_difference_becomes_a_break_and_a_lock_that_lift_themselves(tools: WatchTools) -> None:
    """Found in two answers, gone in two answers: open and locked between, and nothing is left."""
    assert not _tell(tools, {CALL: 2}).standing
    (event,) = _tell(tools, {CALL: 5}, at=60).new_events
    assert (event.state, event.made_in, event.found.kind) == ("open", Pass.LIVE, BreakKind.LIVE_POSITION)
    assert (event.found.ours, event.found.theirs, event.found.session) == (2, 5, FRIDAY)
    assert _scopes(tools) == [LockScope.UNDERLYING]  # 600 dollars
    assert not tools.live_state.entries_allowed(ACCOUNT, "CLF", "1001").allowed
    assert not _tell(tools, {CALL: 2}, at=100).standing
    assert _scopes(tools) == []
    assert [step.state for step in tools.breaks.history(event.break_id)] == [
        BreakState.OPEN,
        BreakState.CLOSED,
    ]


@shows_the_end_of("live_position-")
def test_a_difference_that_is_gone_ends_its_alert(tools: WatchTools) -> None:
    """With the look that closes the break."""
    assert isinstance(tools.alerts, MemoryAlerts)
    _tell(tools, {CALL: 5})
    (code,) = tools.alerts.open
    assert code.startswith("live_position-")
    _tell(tools, {CALL: 2}, at=60)
    assert not tools.alerts.open
    assert tools.alerts.over == {code: "the break is closed"}


def test_a_difference_is_an_alert_and_an_explained_one_is_none(tools: WatchTools) -> None:
    """A person reads which contract, what we hold and what the broker says; a guess alarms nobody."""
    assert isinstance(tools.alerts, MemoryAlerts)
    assert isinstance(tools.record, ToldPositions)
    tools.record.told += two({}, broker_at=NOON + timedelta(hours=6))
    watch_positions(tools)
    assert not tools.alerts.told
    _tell(tools, {CALL: 5}, at=60)
    (text,) = tools.alerts.told.values()
    assert text == f"{ACCOUNT} {CALL}: we hold 2 by our fills, the broker says 5"


def test_looking_twice_changes_nothing(tools: WatchTools) -> None:
    """The second look at the same answers, and at more of the same, adds no event and no lock."""
    _tell(tools, {CALL: 5})
    for watch in (*watch_positions(tools), _tell(tools, {CALL: 5}, at=60)):
        assert (watch.new_events, watch.lock_events) == ((), ())
        assert len(watch.open_breaks) == 1


def test_a_failed_question_is_never_flat(tools: WatchTools) -> None:
    """Answers that failed or broke off are not told to the watch: it finds nothing and closes nothing."""
    assert not watch_positions(tools)
    _tell(tools, {CALL: 5})
    assert isinstance(tools.record, ToldPositions)
    tools.record.told.clear()
    assert not watch_positions(tools)
    assert _scopes(tools) == [LockScope.UNDERLYING]


def test_one_answer_that_agrees_lifts_nothing(tools: WatchTools) -> None:
    """Gone is what two answers in a row say, as there."""
    _tell(tools, {CALL: 5})
    assert isinstance(tools.record, ToldPositions)
    tools.record.told.append(answer(60, {CALL: 2}))
    (watch,) = watch_positions(tools)
    assert (watch.undecided, len(watch.open_breaks)) == (1, 1)
    assert _scopes(tools) == [LockScope.UNDERLYING]


def test_a_flushed_redis_gets_its_locks_back(tools: WatchTools) -> None:
    """The warehouse knows; without the watch entries are refused because the epoch is missing."""
    _tell(tools, {CALL: 5})
    fresh = replace(tools, live_state=MemoryLiveState())
    watch_positions(fresh)
    assert _scopes(fresh) == [LockScope.UNDERLYING]
    assert fresh.live_state.locks_epoch() is not None


def test_what_a_kill_left_half_done_is_finished(tools: WatchTools) -> None:
    """A break without its lock, a lock that Redis lacks, and a lock that outlived its break."""
    (event,) = _tell(tools, {CALL: 5}).new_events
    tools.live_state.rebuild_locks([], "e1")
    watch_positions(tools)
    assert _scopes(tools) == [LockScope.UNDERLYING]
    closed = replace(event, sequence=2, state=BreakState.CLOSED)
    tools.breaks.append([closed])  # and killed before the lock was lifted
    (watch,) = [_tell(tools, {CALL: 2}, at=100)]
    assert [lock.is_active for lock in watch.lock_events] == [False]
    assert _scopes(tools) == []


def test_a_break_that_comes_back_is_open_again(tools: WatchTools) -> None:
    """The same contract on the same day: one break with four events, locked again."""
    (event,) = _tell(tools, {CALL: 5}).new_events
    _tell(tools, {CALL: 2}, at=100)
    again = _tell(tools, {CALL: 5}, at=200)
    assert [step.break_id for step in again.new_events] == [event.break_id]
    assert [step.sequence for step in tools.breaks.history(event.break_id)] == [1, 2, 3]
    assert _scopes(tools) == [LockScope.UNDERLYING]


def test_an_unknown_size_locks_the_account(tools: WatchTools) -> None:
    """A contract that we never heard of has no mark of ours."""
    _tell(tools, {CALL: 2, "OPT:XYZ   260821C00001000": 1})
    assert _scopes(tools) == [LockScope.ACCOUNT]


def test_before_the_first_sign_off_nothing_is_locked(tools: WatchTools) -> None:
    """The break is there for people; a first import endangers nobody."""
    fresh = replace(tools, breaks=MemoryBreakStore(MemoryFillStore()))
    assert len(_tell(fresh, {CALL: 5}).open_breaks) == 1
    assert _scopes(fresh) == []


def test_an_expiry_is_a_guess_without_a_lock_until_the_statement(tools: WatchTools) -> None:
    """Gone after its last close: explained, not locked; closed when the booking took it out of our books."""
    evening = NOON + timedelta(hours=6)
    assert isinstance(tools.record, ToldPositions)
    tools.record.told += two({}, broker_at=evening)
    (watch,) = watch_positions(tools)
    (event,) = watch.new_events
    assert (event.state, event.found.cause) == (BreakState.EXPLAINED, "expiry_pending")
    assert _scopes(tools) == []
    tools.record.ours = holdings()
    (watch,) = watch_positions(tools)
    assert not watch.standing


def test_a_person_explains_and_lifts_until_the_figures_change(tools: WatchTools) -> None:
    """What a named person said stands while the difference is what he saw."""
    (event,) = _tell(tools, {CALL: 5}).new_events
    (lock,) = tools.breaks.locks([event.break_id])
    tools.breaks.append_locks([lifted_by(lock, "M. Office", "known", tools.clock.now())])
    watch_positions(tools)
    assert _scopes(tools) == []
    tools.breaks.append([explained(event, "M. Office", "a transfer", tools.clock.now())])
    assert not _tell(tools, {CALL: 5}, at=60).new_events
    assert isinstance(tools.clock, MinuteHand)
    tools.clock.at += timedelta(minutes=5)
    changed = _tell(tools, {CALL: 6}, at=200)
    assert len(changed.open_breaks) == 1
    assert _scopes(tools) == [LockScope.UNDERLYING]


def test_a_session_is_signed_off_whatever_the_live_look_found(tools: WatchTools) -> None:
    """A live difference is about a moment; the final pass is about the session."""
    (event,) = _tell(tools, {CALL: 5}).new_events
    word = sign_off_of(
        VENUE, ACCOUNT, FRIDAY, [event], made_in=Pass.FINAL, run_id="r", statement_sha256="s", at=NOON
    )
    assert (word.state, word.breaks_open) == (SessionState.RECONCILED, 0)


def test_differences_of_several_contracts_are_several_breaks(tools: WatchTools) -> None:
    """One that was there, one that is not ours; each has its own lock by its own size."""
    assert isinstance(tools.record, ToldPositions)
    tools.record.ours = holdings(mine(CALL, 2), mine(NEXT_MONTH, 1, mark=Decimal("0.01")))
    watch = _tell(tools, {CALL: 1})
    assert {event.found.instrument_id for event in watch.open_breaks} == {CALL, NEXT_MONTH}
    assert sorted(_scopes(tools)) == [LockScope.CONTRACT, LockScope.UNDERLYING]
