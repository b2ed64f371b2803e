"""A month with planted breaks, told by every source: each is found, named and sized, and nothing else is."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from reconciled_desk import FIRST, LAST, SETTINGS, Desk, desk_in_memory

from simulation.sample_desk import Journal, compare, write_sample_desk
from trading.model.fills import Venue
from trading.ports.live_state import LockScope
from trading.reconciliation.breaks import BreakEvent, BreakState
from trading.reconciliation.sign_off import SessionState
from trading.services.reconcile_session import reconcile_range
from trading.services.rewrite_live_state import rebuild_locks
from trading.services.settle_breaks import close_break, explain_break, lift_lock


@dataclass(frozen=True, slots=True)
class Month:
    """A reconciled month and its truth."""

    desk: Desk
    journal: Journal

    @property
    def accounts(self) -> list[str]:
        """All accounts."""
        return [account["name"] for account in self.journal.accounts]

    @property
    def open_breaks(self) -> list[BreakEvent]:
        """Breaks that nobody explains."""
        return list(self.desk.breaks.breaks(states=[BreakState.OPEN]))


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """The sample desk with its planted breaks."""
    directory = tmp_path_factory.mktemp("desk")
    journal = write_sample_desk(directory, seed=11)
    desk = desk_in_memory()
    for path in sorted((directory / "inbox").iterdir()):
        if path.name.startswith(tuple(account["name"] for account in journal.accounts)):
            desk.take(path)
    month = Month(desk, journal)
    for account in month.accounts:
        desk.reconcile(account)
    return month


def _row(event: BreakEvent) -> dict[str, object]:
    found = event.found
    return {
        "venue": str(found.venue),
        "account": found.account,
        "session": found.session,
        "kind": str(found.kind),
        "conid": found.conid,
        "currency": found.currency,
        "difference": found.difference,
        "state": str(event.state),
    }


def test_exactly_the_planted_breaks_are_found_and_sized(month: Month) -> None:
    """The ledger of breaks is the journal's list, row for row."""
    rows = [_row(event) for event in month.desk.breaks.breaks()]
    assert [str(item) for item in compare(month.journal, breaks=rows)] == []


def test_open_breaks_break_their_sessions_and_no_other(month: Month) -> None:
    """A session is broken when and only when something on it is open."""
    broken = {
        (word.account, word.session)
        for word in month.desk.breaks.sign_offs()
        if word.state is SessionState.BROKEN
    }
    assert broken == {(event.found.account, event.found.session) for event in month.open_breaks}


def test_every_open_break_is_locked_by_its_size(month: Month) -> None:
    """A cent locks a contract; cash, which is of no contract, and an unknown size lock the account."""
    locks = {event.break_id: event for event in month.desk.breaks.locks() if event.is_active}
    assert locks.keys() == {event.break_id for event in month.open_breaks}
    for event in month.open_breaks:
        size = event.found.difference_base
        if size is not None and size < SETTINGS.lock_contract_below and event.found.instrument_id:
            assert locks[event.break_id].scope is LockScope.CONTRACT
        if size is None or not event.found.instrument_id:
            assert locks[event.break_id].scope is LockScope.ACCOUNT


def test_locks_survive_a_flushed_redis(month: Month) -> None:
    """The live state comes back from the warehouse's events, and until then no entry is allowed."""
    live = month.desk.live_state
    before = live.locks()
    assert before
    live.flush()  # type: ignore[attr-defined]
    assert not live.entries_allowed("nobody", "NONE", "1").allowed
    rebuild_locks(live, month.desk.breaks, month.desk.clock.now())
    assert live.locks() == before
    assert live.entries_allowed("nobody", "NONE", "1").allowed


def test_running_twice_changes_nothing(month: Month) -> None:
    """No event, no lock, no sign-off is written by a second check of the whole month."""
    before = (month.desk.breaks.breaks(), month.desk.breaks.locks(), month.desk.breaks.sign_offs())
    for account in month.accounts:
        reports = month.desk.reconcile(account)
        assert [event for report in reports for event in (*report.new_events, *report.lock_events)] == []
    assert (month.desk.breaks.breaks(), month.desk.breaks.locks(), month.desk.breaks.sign_offs()) == before


def test_a_person_explains_closes_and_lifts(tmp_path: Path) -> None:
    """Each act says who and why; an explained break stays so, a closed one still there opens again."""
    journal = write_sample_desk(tmp_path, seed=11, sessions=14, accounts=1)
    desk = desk_in_memory()
    for path in sorted((tmp_path / "inbox").iterdir()):
        if path.name.startswith(journal.accounts[0]["name"]):
            desk.take(path)
    account = journal.accounts[0]["name"]
    desk.reconcile(account)
    one, two, *_ = desk.breaks.breaks(states=[BreakState.OPEN])
    explain_break(desk.reconcile_stores, SETTINGS, one.break_id, "M. Office", "the broker confirmed it")
    assert not any(event.is_active for event in desk.breaks.locks([one.break_id]))
    close_break(desk.reconcile_stores, SETTINGS, two.break_id, "M. Office", "gone by tomorrow")
    _again(desk, account, one.found.session)
    _again(desk, account, two.found.session)
    states = {event.break_id: event.state for event in desk.breaks.breaks()}
    assert states[one.break_id] is BreakState.EXPLAINED
    assert states[two.break_id] is BreakState.OPEN
    lock = next(event for event in desk.breaks.locks([two.break_id]) if event.is_active)
    lift_lock(desk.reconcile_stores, lock.lock_id, "M. Office", "checked by hand")
    _again(desk, account, two.found.session)
    assert not any(event.is_active for event in desk.breaks.locks([two.break_id]))


def _again(desk: Desk, account: str, session: date) -> None:
    reconcile_range(desk.reconcile_stores, SETTINGS, Venue.IBKR, account, session, session)
    assert FIRST < session < LAST
