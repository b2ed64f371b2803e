"""Answers about positions as they were drained: the complete ones, by account, newest four; and the watch on
them.
"""

from datetime import datetime, timedelta

import pytest
from fill_samples import ACCOUNT, batch, fill
from reconciled_desk import SETTINGS, Desk
from told_answers import BROKER_LAG, NOW, Told, position

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.position_record import ClickHousePositionRecord
from adapters.memory.alerts import MemoryAlerts
from trading.model.fills import Venue
from trading.reconciliation.breaks import Pass
from trading.reconciliation.sign_off import sign_off_of
from trading.services.watch_positions import WatchTools, watch_positions

SINCE = NOW - timedelta(hours=1)


@pytest.fixture
def tell(warehouse: Warehouse) -> Told:
    """What the broker session told."""
    return Told(warehouse)


def test_only_complete_answers_are_read_oldest_first(warehouse: Warehouse, tell: Told) -> None:
    """A failed and a partial answer between them are not there; a repeated entry is one answer."""
    entry = tell(position(2))
    tell(completeness="failed")
    tell(position(1), completeness="partial")
    tell()
    tell.store.record([entry], [], NOW + timedelta(minutes=5))
    (answers,) = ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE).values()
    assert [len(answer.positions) for answer in answers] == [1, 0]
    assert answers[0].positions[0].quantity == 2
    assert answers[0].asked_at == NOW + timedelta(seconds=20)
    assert answers[0].broker_at == answers[0].asked_at - BROKER_LAG


def test_an_account_is_flat_only_where_the_answer_names_it(warehouse: Warehouse, tell: Told) -> None:
    """Two accounts named, one holds something; a third that nobody named is not there."""
    tell(position(2), accounts=[ACCOUNT, "DU2"])
    found = ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE)
    assert {account: len(answers[0].positions) for account, answers in found.items()} == {
        ACCOUNT: 1,
        "DU2": 0,
    }


def test_an_answer_with_a_row_that_cannot_be_read_counts_for_nothing(
    warehouse: Warehouse, tell: Told
) -> None:
    """A position without a quantity is not a flat one."""
    tell({**position(2), "quantity": "many"})
    assert ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE) == {}


def test_only_the_newest_answers_since_a_moment_are_read(warehouse: Warehouse, tell: Told) -> None:
    """Six were told, four are looked at; before the moment none."""
    for quantity in range(6):
        tell(position(quantity))
    record = ClickHousePositionRecord(warehouse)
    (answers,) = record.answers(Venue.IBKR, SINCE).values()
    assert [answer.positions[0].quantity for answer in answers] == [2, 3, 4, 5]
    assert record.answers(Venue.IBKR, NOW + timedelta(hours=1)) == {}


def test_answers_stored_after_a_moment_are_left_out(warehouse: Warehouse, tell: Told) -> None:
    """Their fills may not be there yet: who looks beside the drain says up to when all was stored."""
    for quantity in (1, 2):
        tell(position(quantity))
    record = ClickHousePositionRecord(warehouse)
    (answers,) = record.answers(Venue.IBKR, SINCE, NOW + timedelta(seconds=20)).values()
    assert [answer.positions[0].quantity for answer in answers] == [1]


def test_a_difference_is_found_locked_and_lifted_on_a_real_warehouse(
    server_desk: Desk, warehouse: Warehouse, tell: Told
) -> None:
    """The whole watch: fills of ours, answers of the broker, a break, a lock, and neither any more."""
    server_desk.fills.record(batch([fill("a.01")]), NOW - timedelta(minutes=1))
    word = sign_off_of(
        Venue.IBKR, ACCOUNT, NOW.date(), [], made_in=Pass.FINAL, run_id="", statement_sha256="s", at=NOW
    )
    server_desk.breaks.put_sign_off(word)
    tools = WatchTools(
        record=ClickHousePositionRecord(warehouse), breaks=server_desk.breaks, settings=SETTINGS,
        live_state=server_desk.live_state, alerts=MemoryAlerts(), clock=_Now(),
        quiet_period=timedelta(seconds=10),
    )  # fmt: skip
    for quantity, locks in ((2, 0), (2, 0), (5, 0), (5, 1), (5, 1), (2, 1), (2, 0)):
        tell(position(quantity))
        (watch,) = watch_positions(tools)
        assert (len(watch.open_breaks), len(server_desk.live_state.locks())) == (locks, locks)
    (event,) = server_desk.breaks.breaks()
    assert event.found.session == (NOW - BROKER_LAG).date()
    assert not watch_positions(tools)[0].new_events


class _Now:
    def now(self) -> datetime:
        return NOW + timedelta(minutes=5)
