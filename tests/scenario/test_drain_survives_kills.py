"""The drain, Redis and the warehouse are killed at random moments: the tables are what was appended."""

import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from drain_samples import ACCOUNTS, OPEN, day_of_events
from killable_drain import VICTIMS, KillableDrain, killable_drain

from adapters.clickhouse.broker_event_store import ClickHouseBrokerEventStore
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.ibkr.live_messages import LiveMessages
from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.redis.outbox import RedisOutbox, RedisOutboxReader
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.model.broker import BrokerEvent, BrokerEventKind, OutboxEntry
from trading.model.fills import Venue
from trading.ports.fill_store import FillStore

pytest.importorskip("chdb", reason="the embedded engine is not installed")

MODULE = "desk.residents.drain"
APPENDS_TRIED_MAX = 600
PROGRESS_WITHIN_S = 10.0
KILL_WITHIN_S = 0.3  # about the time that a batch takes
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def onlooker(running: KillableDrain) -> RedisOutboxReader:
    """Who looks at the outbox and takes nothing."""
    return RedisOutboxReader(running.redis.url, consumer="onlooker")


def wait_for_progress(reader: RedisOutboxReader) -> None:
    """Until the drain has taken something away, or has had the time to: then it is at work."""
    before, deadline = reader.backlog().entries, time.monotonic() + PROGRESS_WITHIN_S
    while before and reader.backlog().entries >= before and time.monotonic() < deadline:
        time.sleep(0.01)


def append(outbox: RedisOutbox, events: Sequence[BrokerEvent]) -> tuple[str, ...]:
    """As a session does: what was not certainly appended is appended again."""
    for _ in range(APPENDS_TRIED_MAX):
        try:
            return outbox.append(events).entry_ids
        except (LiveStateUnavailableError, OutboxFullError):
            time.sleep(0.05)
    raise AssertionError("the outbox never took the events")


def played(running: KillableDrain, seed: int, events: Sequence[BrokerEvent], kills: int) -> list[str]:
    """Append all in small parts, and kill at random places between them; the ids that were answered."""
    rng = random.Random(seed)
    outbox = RedisOutbox(running.redis.url)
    cuts = list(range(0, len(events), 10))
    victims = [VICTIMS[number % len(VICTIMS)] for number in range(kills)]
    rng.shuffle(victims)
    places = dict(zip(sorted(rng.sample(cuts, kills)), victims, strict=True))
    answered: list[str] = []
    for start in cuts:
        answered += append(outbox, events[start : start + 10])
        if start in places:
            wait_for_progress(onlooker(running))
            answered += append(outbox, events[start : start + 10])  # told again, and work for the drain
            time.sleep(rng.random() * KILL_WITHIN_S)
            running.kill(places[start])
    return answered


def compare(
    running: KillableDrain, seed: int, events: Sequence[BrokerEvent], answered: Sequence[str]
) -> None:
    """Hold the tables to what was appended, row for row."""
    warehouse = Warehouse(running.server.url)
    store, fills = ClickHouseBrokerEventStore(warehouse), ClickHouseFillStore(warehouse)
    stored = warehouse.rows("select entry_ms, entry_seq, payload from audit.outbox_entries final")
    kept = [f"{row['entry_ms']}-{row['entry_seq']}" for row in stored]
    assert len(kept) == len(set(kept))
    assert set(answered) <= set(kept), f"seed {seed}"
    assert store.gaps() == [], f"seed {seed}"
    truth_fills = MemoryFillStore()
    messages = [told.payload["fields"] for told in events if told.kind is BrokerEventKind.MESSAGE]
    truth_fills.record(LiveMessages().batch(messages, {}, "all at once"), OPEN)
    assert standing(fills) == standing(truth_fills), f"seed {seed}"
    assert store.waiting(LONG_AGO) == 0, f"seed {seed}"
    truth = MemoryBrokerEventStore(truth_fills)
    truth.record(told_entries(events), (), OPEN)
    assert newest_orders(store) == newest_orders(truth), f"seed {seed}"
    assert store.positions() == truth.positions(), f"seed {seed}"
    assert store.account_values() == truth.account_values(), f"seed {seed}"


def standing(fills: FillStore) -> list[tuple[object, ...]]:
    """Every fill as it stands, with its fees."""
    found = [fill for name in ACCOUNTS for fill in fills.fills(Venue.IBKR, name, [OPEN.date()])]
    return [(fill.revision.content_hash, dict(fill.fees), fill.revision.source) for fill in found]


def newest_orders(store: ClickHouseBrokerEventStore | MemoryBrokerEventStore) -> list[object]:
    """Each order as it was last told."""
    return [(state.order, state.last_heard_at, state.is_working) for state in store.orders()]


def told_entries(events: Sequence[BrokerEvent]) -> list[OutboxEntry]:
    """The events as entries, in their order."""
    return [
        OutboxEntry(stream="truth", entry_id=f"{number}-0", epoch="e", sequence=number, event=told)
        for number, told in enumerate(events, start=1)
    ]


def survive(folder: Path, seed: int, fills: int, kills: int) -> None:
    """One whole run."""
    events = day_of_events(seed, fills)
    with killable_drain(folder, MODULE) as running:
        answered = played(running, seed, events, kills)
        reader = onlooker(running)
        running.wait_until_drained(lambda: reader.backlog().entries)
        compare(running, seed, events, answered)
        assert sum(running.kills.values()) == kills
        running.end_in_order()


def test_each_process_is_killed_once_and_the_tables_are_what_was_appended(tmp_path: Path) -> None:
    """Some two hundred events, one kill each of drain, Redis and warehouse; the drain ends in good order."""
    survive(tmp_path, seed=11, fills=60, kills=3)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
def test_twenty_kills_of_each_over_thousands_of_events(tmp_path: Path, seed: int) -> None:
    """Sixty kills in a run of some six thousand events."""
    survive(tmp_path, seed=seed, fills=1_500, kills=60)
