"""Answers about positions as they were drained: the complete ones, by account, newest four; and the watch on
them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from fill_samples import ACCOUNT, batch, fill, option
from reconciled_desk import SETTINGS, Desk

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.position_record import ClickHousePositionRecord
from trading.model.broker import BrokerEvent, BrokerEventKind, BrokerPosition, OutboxEntry
from trading.model.broker_payloads import payload_of
from trading.model.fills import Venue
from trading.reconciliation.breaks import Pass
from trading.reconciliation.sign_off import sign_off_of
from trading.services.watch_positions import WatchTools, watch_positions

NOW = datetime(2026, 7, 17, 17, 0, tzinfo=UTC)
BROKER_LAG = timedelta(days=3)
SINCE = NOW - timedelta(hours=1)
CALL = option().instrument_id


def _position(quantity: int, account: str = ACCOUNT) -> dict[str, object]:
    row = BrokerPosition(
        account=account, conid=893396239, instrument_id=CALL, symbol="CZR", quantity=Decimal(quantity),
        average_cost=None,
    )  # fmt: skip
    return payload_of(row)


def _entry(number: int, payload: Mapping[str, object], at: datetime) -> OutboxEntry:
    milliseconds = int(at.timestamp() * 1000)
    event = BrokerEvent(
        kind=BrokerEventKind.ANSWER, heard_at=at, broker_at=at - BROKER_LAG,
        payload={"question": "positions", "reason": "", "from_at": None, "to_at": None, **payload},
    )  # fmt: skip
    return OutboxEntry(
        stream="outbox:broker:{IBKR}", entry_id=f"{milliseconds}-0", epoch="e", sequence=number, event=event
    )


class Told:
    """Answers told one after another, twenty seconds apart from NOW on."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.store = ClickHouseBrokerEventStore(warehouse)
        self.number = 0

    def __call__(
        self, *rows: dict[str, object], completeness: str = "complete", **more: object
    ) -> OutboxEntry:
        """One answer."""
        self.number += 1
        at = NOW + timedelta(seconds=20 * self.number)
        told = {"rows": list(rows), "completeness": completeness, "accounts": [ACCOUNT], **more}
        entry = _entry(self.number, {"asked_at": at.isoformat(), **told}, at)
        self.store.record([entry], [], at)
        return entry


@pytest.fixture
def tell(warehouse: Warehouse) -> Told:
    """What the broker session told."""
    return Told(warehouse)


def test_only_complete_answers_are_read_oldest_first(warehouse: Warehouse, tell: Told) -> None:
    """A failed and a partial answer between them are not there; a repeated entry is one answer."""
    entry = tell(_position(2))
    tell(completeness="failed")
    tell(_position(1), completeness="partial")
    tell()
    tell.store.record([entry], [], NOW + timedelta(minutes=5))
    (answers,) = ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE).values()
    assert [len(answer.positions) for answer in answers] == [1, 0]
    assert answers[0].positions[0].quantity == 2
    assert answers[0].asked_at == NOW + timedelta(seconds=20)
    assert answers[0].broker_at == answers[0].asked_at - BROKER_LAG


def test_an_account_is_flat_only_where_the_answer_names_it(warehouse: Warehouse, tell: Told) -> None:
    """Two accounts named, one holds something; a third that nobody named is not there."""
    tell(_position(2), accounts=[ACCOUNT, "DU2"])
    found = ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE)
    assert {account: len(answers[0].positions) for account, answers in found.items()} == {
        ACCOUNT: 1,
        "DU2": 0,
    }


def test_an_answer_with_a_row_that_cannot_be_read_counts_for_nothing(
    warehouse: Warehouse, tell: Told
) -> None:
    """A position without a quantity is not a flat one."""
    tell({**_position(2), "quantity": "many"})
    assert ClickHousePositionRecord(warehouse).answers(Venue.IBKR, SINCE) == {}


def test_only_the_newest_answers_since_a_moment_are_read(warehouse: Warehouse, tell: Told) -> None:
    """Six were told, four are looked at; before the moment none."""
    for quantity in range(6):
        tell(_position(quantity))
    record = ClickHousePositionRecord(warehouse)
    (answers,) = record.answers(Venue.IBKR, SINCE).values()
    assert [answer.positions[0].quantity for answer in answers] == [2, 3, 4, 5]
    assert record.answers(Venue.IBKR, NOW + timedelta(hours=1)) == {}


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
        live_state=server_desk.live_state, clock=_Now(), quiet_period=timedelta(seconds=10),
    )  # fmt: skip
    for quantity, locks in ((2, 0), (2, 0), (5, 0), (5, 1), (5, 1), (2, 1), (2, 0)):
        tell(_position(quantity))
        (watch,) = watch_positions(tools)
        assert (len(watch.open_breaks), len(server_desk.live_state.locks())) == (locks, locks)
    (event,) = server_desk.breaks.breaks()
    assert event.found.session == (NOW - BROKER_LAG).date()
    assert not watch_positions(tools)[0].new_events


class _Now:
    def now(self) -> datetime:
        return NOW + timedelta(minutes=5)
