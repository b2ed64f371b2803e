"""Entries: refused by a lock, by an epoch that is not there, and before the books are proved."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from flex_documents import ACCOUNT, activity, confirm, confirmations, document, section, statement, trade
from reconciled_desk import SETTINGS, Desk, desk_in_memory

from trading.model.fills import Venue
from trading.model.times import NEW_YORK
from trading.ports.live_state import EntryAnswer, Lock, LockScope
from trading.reconciliation.sign_off import SessionState
from trading.services.entries_allowed import Entry, EntryStores, entries_allowed
from trading.settings import AccountPolicy, ReconciliationSettings

MONDAY_MORNING = datetime(2026, 7, 20, 10, 0, tzinfo=NEW_YORK)
EARLY = replace(SETTINGS, accounts={ACCOUNT: AccountPolicy(entries_before_reconciled=True)})
ENTRY = Entry(venue=Venue.IBKR, account=ACCOUNT, underlying="CZR", instrument="893396239")


def _asked(
    desk: Desk, settings: ReconciliationSettings = SETTINGS, at: datetime = MONDAY_MORNING
) -> EntryAnswer:
    stores = EntryStores(live_state=desk.live_state, breaks=desk.breaks, fills=desk.fills)
    return entries_allowed(ENTRY, at, stores, settings)


def _reconciled(*documents: bytes) -> Desk:
    desk = desk_in_memory()
    for told in documents:
        desk.take(told)
    desk.reconcile(ACCOUNT)
    return desk


def test_a_reconciled_account_may_enter() -> None:
    """No lock, the epoch there, Friday signed off by its statement."""
    assert _asked(_reconciled(activity(trade()))) == EntryAnswer(allowed=True)


def test_an_account_that_was_never_reconciled_waits() -> None:
    """No break was found because nothing was compared: that is no permission."""
    desk = desk_in_memory()
    desk.live_state.rebuild_locks([], "epoch")
    answer = _asked(desk)
    assert (answer.allowed, answer.reason) == (False, f"{ACCOUNT}: no session was ever reconciled")


def test_the_accounts_own_policy_allows_entries_before_its_statement() -> None:
    """The same standing, another policy; accounts that are not named keep the default."""
    desk = _reconciled(confirmations(confirm()))
    assert not _asked(desk).allowed
    assert _asked(desk, EARLY).allowed
    others = replace(EARLY, accounts={"U7654321": EARLY.accounts[ACCOUNT]})
    assert not _asked(desk, others).allowed


def test_a_later_session_without_its_statement_stops_entries() -> None:
    """Friday is reconciled, Monday has only its confirmations: on Tuesday nothing is opened, and Monday is
    named.
    """
    friday = document(statement(section("Trades", trade()), fromDate="20260717", toDate="20260717"))
    monday = confirmations(
        confirm(
            dateTime="20260720;120440", tradeDate="20260720", execID="0001938c.6a59af43.01.01", tradeID="9"
        )
    )
    desk = _reconciled(friday, monday)
    tuesday = datetime(2026, 7, 21, 10, 0, tzinfo=NEW_YORK)
    assert _asked(desk).allowed
    answer = _asked(desk, at=tuesday)
    assert answer == EntryAnswer(
        allowed=False, reason=f"{ACCOUNT}: session 2026-07-20 is provisional, not reconciled"
    )


def test_fills_that_nobody_compared_stop_entries() -> None:
    """A session with fills and without any word is not proved."""
    desk = _reconciled(activity(trade()))
    desk.take(
        confirmations(confirm(dateTime="20260720;120440", tradeDate="20260720", execID="a.b.01", tradeID="9"))
    )
    answer = _asked(desk, at=datetime(2026, 7, 21, 10, 0, tzinfo=NEW_YORK))
    assert answer.reason == f"{ACCOUNT}: session 2026-07-20 is not compared, not reconciled"


@pytest.mark.parametrize("settings", [SETTINGS, EARLY])
def test_a_flushed_live_state_refuses_under_every_policy(settings: ReconciliationSettings) -> None:
    """Without the epoch nobody knows the locks."""
    desk = _reconciled(activity(trade()))
    desk.live_state.flush()  # type: ignore[attr-defined]
    assert "epoch" in _asked(desk, settings).reason


def test_a_broken_session_is_judged_by_its_locks() -> None:
    """Its final word is there: an entry in another contract than the locked one is allowed."""
    desk = _reconciled(activity(trade()))
    word = desk.breaks.sign_off(Venue.IBKR, ACCOUNT, date(2026, 7, 17))
    assert word is not None
    desk.breaks.put_sign_off(replace(word, state=SessionState.BROKEN, breaks_open=1))
    assert _asked(desk).allowed
    lock = Lock(scope=LockScope.UNDERLYING, scope_id=f"{ACCOUNT}:CZR", reason="a break", since=MONDAY_MORNING)
    desk.live_state.put_lock(lock)
    assert _asked(desk).reason == f"underlying {ACCOUNT}:CZR locked: a break"
