"""What every store of drained entries promises: each entry once, the newest word on each, holes seen."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from drain_samples import order
from fill_samples import fill

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from trading.model.broker import (
    AccountValue,
    BrokerEvent,
    BrokerEventKind,
    BrokerOrder,
    BrokerPosition,
    OutboxEntry,
)
from trading.model.broker_payloads import payload_of
from trading.model.fills import CoverageInterval, FillBatch, Source, Venue
from trading.ports.broker_events import BrokerEventStore, CoverageHole
from trading.ports.fill_store import FillStore
from trading.ports.outbox import UnreadableEntry

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """The stores under test, on one warehouse or in memory."""

    events: BrokerEventStore
    fills: FillStore


@pytest.fixture(params=["memory", "clickhouse"])
def kept(request: pytest.FixtureRequest) -> Kept:
    """Each implementation in turn, empty."""
    if request.param == "memory":
        fills = MemoryFillStore()
        return Kept(MemoryBrokerEventStore(fills), fills)
    client: Warehouse = request.getfixturevalue("warehouse")
    return Kept(ClickHouseBrokerEventStore(client), ClickHouseFillStore(client))


def entry(
    number: int, kind: BrokerEventKind, payload: dict[str, Any], epoch: str = "e1", account: str = ""
) -> OutboxEntry:
    """The entry with this number, heard that many seconds after noon."""
    at = NOON + timedelta(seconds=number)
    return OutboxEntry(
        stream="outbox",
        entry_id=f"{int(at.timestamp() * 1000)}-0",
        epoch=epoch,
        sequence=number,
        event=BrokerEvent(kind=kind, heard_at=at, broker_at=at, account=account, payload=payload),
    )


def told_order(number: int, told: BrokerOrder) -> OutboxEntry:
    """An order event."""
    return entry(number, BrokerEventKind.ORDER, payload_of(told), account=told.account)


def answer(
    number: int, question: str, rows: Sequence[Any] = (), completeness: str = "complete", **more: Any
) -> OutboxEntry:
    """An answer that ended."""
    payload = {
        "question": question,
        "completeness": completeness,
        "rows": [payload_of(row) for row in rows],
        "accounts": ["DU1", "DU2"],
        "reason": "",
        **more,
    }
    return entry(number, BrokerEventKind.ANSWER, payload)


def message(number: int, *fields: str) -> OutboxEntry:
    """An execution or a commission report as it came."""
    return entry(number, BrokerEventKind.MESSAGE, {"fields": list(fields)})


def position(account: str, conid: int, quantity: str) -> BrokerPosition:
    """What is held."""
    return BrokerPosition(
        account=account,
        conid=conid,
        instrument_id=f"OPT:{conid}",
        symbol="SPX",
        quantity=Decimal(quantity),
        average_cost=Decimal("73.5"),
    )


def record(kept: Kept, *entries: OutboxEntry) -> None:
    """Store these."""
    kept.events.record(entries, (), NOON)


def test_the_newest_word_on_an_order_counts_whatever_came_first(kept: Kept) -> None:
    """Events, rows of answers and repeats in any order of storing: the stream's order decides."""
    entries = [
        told_order(1, order("PendingSubmit", perm_id="", order_ref="sig:77")),
        told_order(2, order("Submitted")),
        told_order(3, order("Filled", filled=Decimal(2), remaining=Decimal(0), average_price=Decimal("0.7"))),
        answer(4, "open_orders", [order("PreSubmitted", order_ref="", perm_id="78")]),
        answer(5, "completed_orders", [order("Cancelled", order_ref="sig:2", perm_id="79")]),
        entry(
            6,
            BrokerEventKind.ORDER_ERROR,
            {"order_ref": "sig:77", "perm_id": "77", "code": 201, "text": "no"},
        ),
    ]
    shuffled = [*entries, *entries]
    random.Random(5).shuffle(shuffled)
    for item in shuffled:
        record(kept, item)
    states = {(state.order.order_ref, state.order.perm_id): state for state in kept.events.orders()}
    assert {name: state.order.status for name, state in states.items()} == {
        ("sig:77", "77"): "Filled",
        ("", "78"): "PreSubmitted",
        ("sig:2", "79"): "Cancelled",
    }
    done = states["sig:77", "77"]
    assert done.order == entries_order(entries[2])
    assert (done.first_heard_at, done.last_heard_at) == (
        NOON + timedelta(seconds=2),
        NOON + timedelta(seconds=3),
    )
    working = kept.events.orders(("DU1",), working_only=True)
    assert [state.order.perm_id for state in working] == ["78"]
    assert kept.events.orders(("DU2",)) == []
    recent = kept.events.orders(since=NOON + timedelta(seconds=4))
    assert [state.order.perm_id for state in recent] == ["79", "78"]


def entries_order(told: OutboxEntry) -> BrokerOrder:
    """The order that an event told."""
    return order(
        told.event.payload["status"],
        filled=Decimal(told.event.payload["filled"]),
        remaining=Decimal(told.event.payload["remaining"]),
        average_price=Decimal(told.event.payload["average_price"]),
    )


def test_positions_are_those_of_the_newest_complete_answer_of_each_account(kept: Kept) -> None:
    """A broken answer changes nothing; a complete one without rows says that the account is flat."""
    record(
        kept,
        answer(1, "positions", [position("DU1", 1, "2"), position("DU2", 2, "-1")]),
        answer(2, "positions", [position("DU1", 1, "2.5"), position("DU1", 3, "4")]),
        answer(3, "positions", [position("DU1", 9, "1")], "partial"),
        answer(4, "positions", [], "failed"),
    )
    held = kept.events.positions()
    assert [item.position for item in held] == [position("DU1", 1, "2.5"), position("DU1", 3, "4")]
    assert {item.broker_at for item in held} == {NOON + timedelta(seconds=2)}
    assert kept.events.positions(("DU2",)) == []


def test_the_newest_figures_of_accounts_count(kept: Kept) -> None:
    """By name and currency; a figure that is no number keeps its text."""
    values = [
        AccountValue(account="DU1", name="NetLiquidation", value="1000.25", currency="USD"),
        AccountValue(account="DU1", name="NetLiquidation", value="900.5", currency="CHF"),
        AccountValue(account="DU1", name="AccountType", value="INDIVIDUAL", currency=""),
        AccountValue(account="DU1", name="NetLiquidation", value="1001", currency="USD"),
    ]
    told = [
        entry(number, BrokerEventKind.ACCOUNT_VALUE, payload_of(value), account="DU1")
        for number, value in enumerate(values, start=1)
    ]
    record(kept, *reversed(told))
    record(kept, answer(9, "account_values", [AccountValue(account="DU2", name="A", value="1", currency="")]))
    found = kept.events.account_values()
    assert [(figure.value.account, figure.value.name, figure.amount) for figure in found] == [
        ("DU1", "AccountType", None),
        ("DU1", "NetLiquidation", Decimal("900.5")),
        ("DU1", "NetLiquidation", Decimal("1001")),
        ("DU2", "A", Decimal(1)),
    ]
    assert len(kept.events.account_values(("DU2",))) == 1


def test_missing_and_repeated_numbers_of_a_stream_are_seen(kept: Kept) -> None:
    """Each life of the stream counts for itself; an unreadable entry is no gap; a repeat is no fault."""
    link = BrokerEventKind.LINK
    numbers = [entry(number, link, {"state": "ready"}) for number in (1, 2, 5, 6)]
    record(kept, *numbers, *numbers[:2])
    record(kept, entry(2, link, {"state": "ready"}, epoch="e2"))
    broken = UnreadableEntry(
        stream="outbox", entry_id="1794589207000-0", epoch="e1", sequence=7, text="{\x00\ud800", reason="no"
    )
    kept.events.record((), (broken,), NOON)
    kept.events.record((), (broken,), NOON)
    record(kept, entry(8, link, {"state": "ready"}))
    again = entry(8, link, {"state": "lost"})
    record(
        kept,
        OutboxEntry(stream="outbox", entry_id="1794589299000-0", epoch="e1", sequence=8, event=again.event),
    )
    told = [(gap.epoch, gap.fault, gap.from_sequence, gap.to_sequence) for gap in kept.events.gaps()]
    assert sorted(told) == [("e1", "missing", 3, 4), ("e1", "reused", 8, 8), ("e2", "missing", 1, 1)]


def test_a_commission_waits_until_its_execution_is_there(kept: Kept) -> None:
    """It is settleable once a fill of any source has its id; a combination's own report waits for nothing."""
    combined = ["11", "-1", "0", "1", "SPX", "BAG", *[""] * 8, "c.01", *[""] * 16]
    record(
        kept,
        message(1, "59", "1", "a.01.01", "1.25", "USD", "0", "0", ""),
        message(2, "59", "1", "b.01.01", "1.25", "USD", "0", "0", ""),
        message(3, "59", "1", "c.01", "2.5", "USD", "0", "0", ""),
        message(4, *combined),
    )
    assert kept.events.waiting(LONG_AGO) == 2
    assert kept.events.settleable(LONG_AGO, 10) == []
    assert kept.events.unsettled(LONG_AGO, 10) == {
        name: [("59", "1", name, "1.25", "USD", "0", "0", "")] for name in ("a.01.01", "b.01.01")
    }
    assert len(kept.events.unsettled(LONG_AGO, 1)) == 1
    assert kept.events.combinations_of({"c.01", "a.01.01"}) == {"c.01"}
    kept.fills.record(
        FillBatch(venue=Venue.IBKR, source=Source.LIVE, origin="x", fills=(fill("a.01"),)), NOON
    )
    (found,) = kept.events.settleable(LONG_AGO, 10)
    assert (found.exec_id, found.account) == ("a.01.01", "DU1")
    assert found.fields == ("59", "1", "a.01.01", "1.25", "USD", "0", "0", "")
    assert kept.events.accounts_of({"a.01.01", "b.01.01", "nonsense"}) == {"a.01.01": "DU1"}
    assert kept.events.settleable(NOON + timedelta(hours=1), 10) == []
    assert kept.events.waiting(NOON + timedelta(hours=1)) == 0


def test_what_no_source_told_completely_is_a_hole(kept: Kept) -> None:
    """Overlaps join, another source and another account do not count, and no word at all is one hole."""
    minutes = [
        (0, 10, "DU1"),
        (5, 20, "DU1"),
        (30, 40, "DU1"),
        (32, 35, "DU1"),
        (0, 60, "DU2"),
        (45, 50, "DU1"),
    ]
    covered = [interval(start, end, account) for start, end, account in minutes]
    covered.append(interval(20, 30, "DU1", Source.LIVE))
    kept.fills.record(
        FillBatch(venue=Venue.IBKR, source=Source.LIVE, origin="x", coverage=tuple(covered)), NOON
    )
    found = kept.events.coverage_holes(Venue.IBKR, ("DU1", "DU2", "DU3"), at_minute(3), at_minute(50))
    assert found == [
        CoverageHole(account="DU1", start=at_minute(20), end=at_minute(30)),
        CoverageHole(account="DU1", start=at_minute(40), end=at_minute(45)),
        CoverageHole(account="DU3", start=at_minute(3), end=at_minute(50)),
    ]
    assert kept.events.coverage_holes(Venue.IBKR, ("DU1",), at_minute(5), at_minute(18)) == []


def interval(start: int, end: int, account: str, source: Source = Source.SAME_DAY) -> CoverageInterval:
    """What a source told completely, in minutes after noon."""
    return CoverageInterval(
        venue=Venue.IBKR, account=account, source=source, start=at_minute(start), end=at_minute(end)
    )


def at_minute(minute: int) -> datetime:
    """A time after noon."""
    return NOON + timedelta(minutes=minute)


def test_the_broker_s_clock_is_its_newest_complete_reading(kept: Kept) -> None:
    """None where it was never told."""
    assert kept.events.clock() is None
    record(kept, answer(1, "clock", skew_ms=-250.5), answer(2, "clock", completeness="failed", skew_ms=0))
    reading = kept.events.clock()
    assert reading is not None
    assert (reading.skew_ms, reading.broker_at) == (-250.5, NOON + timedelta(seconds=1))


def test_a_payload_that_no_text_holds_is_kept_escaped(kept: Kept) -> None:
    """Half a surrogate pair and a number beyond 64 bits stop no batch."""
    record(
        kept, entry(1, BrokerEventKind.ALERT, {"text": "x\ud800", "code": 2**80, "deep": [{"a": "\ud83d"}]})
    )
    assert kept.events.gaps() == []
