"""Which session is due when: closes, early closes, holidays, weekends, daylight saving, missed sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from trading.model.fills import Venue
from trading.model.times import NEW_YORK
from trading.ports.break_store import BreakStore
from trading.ports.fill_store import FillStore
from trading.ports.model_runner import SessionRange
from trading.reconciliation.sign_off import SessionState
from trading.services.sessions_due import final_due, provisional_due, unsettled_sessions
from trading.settings import AccountPolicy, ReconciliationSettings

TICK = timedelta(minutes=15)
SETTINGS = ReconciliationSettings(
    break_at=Decimal("0.005"),
    lock_contract_below=Decimal(100),
    lock_underlying_below=Decimal(1000),
    provisional_after_close_min=45,
    final_at=time(6, 30),
    final_retry_until=time(9),
    final_retry_every_min=15,
    default_account=AccountPolicy(entries_before_reconciled=False),
    accounts={},
)


def _new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-03-06T16:45", date(2026, 3, 6)),
        ("2026-03-06T16:30", None),
        ("2026-03-06T17:00", None),
        ("2026-03-09T16:45", date(2026, 3, 9)),  # the first day of daylight saving
        ("2026-11-27T13:45", date(2026, 11, 27)),  # the day after Thanksgiving closes at 13:00
        ("2026-11-27T16:45", None),
        ("2026-11-26T16:45", None),  # Thanksgiving
        ("2026-03-07T16:45", None),  # Saturday
    ],
)
def test_the_provisional_pass_is_45_minutes_after_the_close(at: str, session: date | None) -> None:
    """Early closes count, closed days have none, and exactly one tick of a day is due."""
    assert provisional_due(_new_york(at), SETTINGS, TICK) == session


@pytest.mark.parametrize("day", ["2026-03-06", "2026-11-27", "2026-12-24"])
def test_one_tick_of_a_session_is_due(day: str) -> None:
    """Of all ticks of a day one asks for the provisional pass."""
    start = _new_york(f"{day}T12:00")
    ticks = (start + n * TICK for n in range(32))
    assert sum(provisional_due(at, SETTINGS, TICK) is not None for at in ticks) == 1


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-03-07T06:30", date(2026, 3, 6)),  # Saturday settles Friday
        ("2026-03-10T06:30", date(2026, 3, 9)),
        ("2026-03-10T09:00", date(2026, 3, 9)),
        ("2026-03-10T06:15", None),
        ("2026-03-10T09:15", None),
        ("2026-11-27T06:30", date(2026, 11, 25)),  # Thanksgiving lies between
    ],
)
def test_the_final_pass_is_on_the_next_morning(at: str, session: date | None) -> None:
    """From 06:30 to 09:00 New York, for the session before."""
    assert final_due(_new_york(at), SETTINGS) == session


@dataclass
class Standing:
    """Accounts with the sessions they traded on and the words on them."""

    traded: dict[str, list[date]]
    words: dict[str, dict[date, SessionState]]
    venue: Venue = Venue.IBKR

    def accounts(self) -> list[tuple[Venue, str]]:
        return [(self.venue, account) for account in self.traded]

    def sessions_with_fills(self, venue: Venue, account: str, start: date, end: date) -> Sequence[date]:
        return [day for day in self.traded[account] if start <= day <= end]

    def sign_offs(self, venue: Venue, account: str) -> list[Any]:
        found = self.words.get(account, {})
        return [SimpleNamespace(session=day, state=state) for day, state in found.items()]


def _unsettled(standing: Standing, upto: date) -> SessionRange | None:
    return unsettled_sessions(cast("FillStore", standing), cast("BreakStore", standing), upto)


MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)


def test_sessions_missed_while_the_machine_was_off_are_picked_up() -> None:
    """From the oldest that is not settled to the newest, over all accounts."""
    standing = Standing(
        traded={"A": [MONDAY, TUESDAY], "B": [WEDNESDAY]}, words={"A": {MONDAY: SessionState.RECONCILED}}
    )
    assert _unsettled(standing, WEDNESDAY) == SessionRange(first=TUESDAY, last=WEDNESDAY)


@pytest.mark.parametrize("state", [SessionState.RECONCILED, SessionState.BROKEN])
def test_a_settled_session_is_not_asked_for_again(state: SessionState) -> None:
    """A broken session has its final word too: the break is what people look at."""
    assert _unsettled(Standing(traded={"A": [MONDAY]}, words={"A": {MONDAY: state}}), WEDNESDAY) is None


@pytest.mark.parametrize("state", [SessionState.PROVISIONAL, SessionState.AWAITING_STATEMENT])
def test_a_session_without_its_statement_is_asked_for_again(state: SessionState) -> None:
    """Until the Activity statement is there."""
    found = _unsettled(Standing(traded={"A": []}, words={"A": {MONDAY: state}}), WEDNESDAY)
    assert found == SessionRange(first=MONDAY, last=MONDAY)


def test_a_venue_without_statements_is_not_waited_for() -> None:
    """Kraken never sends one."""
    assert _unsettled(Standing(traded={"K": [MONDAY]}, words={}, venue=Venue.KRAKEN), WEDNESDAY) is None


def test_old_sessions_are_left_to_people() -> None:
    """Only a month is looked back."""
    assert _unsettled(Standing(traded={"A": [date(2025, 6, 2)]}, words={}), WEDNESDAY) is None
