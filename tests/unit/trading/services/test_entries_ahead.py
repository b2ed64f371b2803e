"""Entries are stored while the fills before them still are: no execution waits for another one's fills."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from drain_samples import ACCOUNTS, OPEN, SteppingClock, answer, commission, execution, message, position

from adapters.ibkr.live_messages import LiveMessages
from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.outbox import MemoryOutbox, MemoryOutboxReader, MemoryStream
from trading.errors import WarehouseUnavailableError
from trading.model.broker import BrokerEvent
from trading.model.fills import Fill, FillBatch, Venue
from trading.ports.outbox import OutboxBatch
from trading.services.drain_fills import FillTools
from trading.services.drain_outbox import DrainTools, OutboxDrain

WAIT_S = 20.0


class HeldFills(MemoryFillStore):
    """Stores a batch when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = threading.Event(), threading.Event()

    def record(self, batch: FillBatch, received_at: datetime) -> Any:
        """Wait, and store."""
        self.asked.set()
        assert self.let.wait(WAIT_S)
        return super().record(batch, received_at)


class NoticedEvents(MemoryBrokerEventStore):
    """Says when so many entries are stored, and refuses the next ones where it is told to."""

    def __init__(self, fills: MemoryFillStore, count: int) -> None:
        super().__init__(fills)
        self.count, self.reached = count, threading.Event()
        self.refuses = 0
        self.moments: list[datetime] = []

    def record(self, *arguments: Any) -> None:
        """Store and say so."""
        self.moments += [arguments[2]] * len(arguments[0])
        if self.refuses and self.entries:
            self.refuses -= 1
            self.reached.set()
            raise WarehouseUnavailableError("down")
        super().record(*arguments)
        if len(self.entries) >= self.count:
            self.reached.set()


class WaitingReader(MemoryOutboxReader):
    """Waits as the one on Redis does, which leaves the processor to others."""

    def read_new(self, entries_max: int, wait_s: float) -> OutboxBatch:
        """Look, and once more at the end of the time."""
        found = super().read_new(entries_max, 0)
        if found.entry_ids:
            return found
        time.sleep(wait_s)
        return super().read_new(entries_max, 0)


class Held:
    """A drain with a worker, whose fills wait to be let."""

    def __init__(self, worker: ThreadPoolExecutor) -> None:
        self.stream, self.fills = MemoryStream(), HeldFills()
        self.events = NoticedEvents(self.fills, count=4)
        self.outbox = MemoryOutbox(self.stream)
        tools = FillTools(
            messages=LiveMessages(), events=self.events, fills=self.fills, clock=SteppingClock()
        )
        self.watched: list[datetime] = []
        self.drain = OutboxDrain(
            DrainTools(
                reader=WaitingReader(self.stream, "a"),
                fills=tools,
                live_state=None,
                on_positions=self.watched.append,
                beside=worker.submit,
            )
        )
        self.drain.drain_once(0)  # nothing is held by a life before

    def begin(self) -> threading.Thread:
        """A round in a thread; returns when its fills wait."""
        round_ = threading.Thread(target=self.drain.drain_once, args=(0,), daemon=True)
        round_.start()
        assert self.fills.asked.wait(WAIT_S)
        return round_

    def end(self, round_: threading.Thread) -> None:
        """Let its fills be stored."""
        self.fills.let.set()
        round_.join(WAIT_S)
        assert not round_.is_alive()

    def standing(self) -> list[Fill]:
        """All fills."""
        return [fill for name in ACCOUNTS for fill in self.fills.fills(Venue.IBKR, name, [OPEN.date()])]


@pytest.fixture
def held() -> Iterator[Held]:
    """Nothing told yet."""
    with ThreadPoolExecutor(1) as worker:
        desk = Held(worker)
        yield desk
        desk.fills.let.set()


def told(number: int) -> list[BrokerEvent]:
    """An execution and its fee."""
    exec_id = f"0000aaaa.{number:08x}.01.01"
    return [message(execution(exec_id)), message(commission(exec_id))]


def test_an_execution_is_a_row_while_the_fills_before_it_are_not_stored_yet(held: Held) -> None:
    """What comes meanwhile is stored; it is acknowledged only when its own fills are."""
    held.outbox.append(told(1))
    round_ = held.begin()
    held.outbox.append(told(2))
    assert held.events.reached.wait(WAIT_S)
    assert len(held.stream.entries) == 4
    held.end(round_)
    assert len(held.standing()) == 1
    assert len(held.stream.entries) == 2
    held.drain.drain_once(0)
    assert len(held.standing()) == 2
    assert not held.stream.entries
    assert len(held.events.entries) == 4


def test_what_could_not_be_stored_ahead_is_read_again_and_holds_no_fill_up(held: Held) -> None:
    """The warehouse goes away for an entry read ahead: the batch before it ends, then all is there once."""
    held.outbox.append(told(1))
    round_ = held.begin()
    held.events.refuses = 1
    held.outbox.append(told(2))
    assert held.events.reached.wait(WAIT_S)
    held.end(round_)
    assert len(held.standing()) == 1
    held.drain.drain_once(0)
    assert len(held.standing()) == 2
    assert not held.stream.entries
    assert len(held.events.entries) == 4


def test_positions_are_compared_up_to_what_has_its_fills(held: Held) -> None:
    """An answer that was stored ahead knows executions whose fills are not there: it is left out."""
    held.outbox.append([answer("positions", [position()]), *told(1)])
    round_ = held.begin()
    held.outbox.append([*told(2), answer("positions", [position()])])
    held.events.count = 6
    assert held.events.reached.wait(WAIT_S)
    held.end(round_)
    (stored_by,) = held.watched
    ahead = [at for at in held.events.moments if at > stored_by]
    assert len(ahead) == 3
    held.drain.drain_once(0)
    assert held.drain._ahead.stored_by is None
