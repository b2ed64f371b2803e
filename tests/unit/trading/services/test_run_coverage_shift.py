"""The coverage shift: sweeps with its fencing number, what became of them, and the holes that are left."""

from datetime import UTC, datetime, timedelta

import pytest
from live_positions_samples import ToldPositions, answer, holdings
from shift_samples import WaitedClock

from adapters.memory.broker_commands import MemoryCommandQueue, MemoryCommands
from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from trading.model.broker import Outcome, Verb
from trading.model.fills import CoverageInterval, FillBatch, Source, Venue
from trading.ports.broker_commands import CommandResult
from trading.services.run_coverage_shift import NO_RESULT, CoverageTools, Sweep, run_coverage_shift
from trading.services.run_shift import ShiftLostError

MIDNIGHT = datetime(2026, 7, 17, 4, 0, tzinfo=UTC)


class Broker:
    """A broker session that does what it is told, and the desk around it."""

    def __init__(self) -> None:
        self.clock = WaitedClock()
        self.fills = MemoryFillStore()
        self.commands = MemoryCommands()
        self.live_state = MemoryLiveState()
        self.seen: list[tuple[Verb, int]] = []
        self.is_down = False
        self.clock.meanwhile = self.work
        self.tools = CoverageTools(
            commands=MemoryCommandQueue(self.commands),
            events=MemoryBrokerEventStore(self.fills),
            record=ToldPositions(holdings(), [answer(0, {})]),
            live_state=self.live_state,
            clock=self.clock,
            pause=self.clock.pause,
            sweep_every=timedelta(seconds=60),
            speed=1,
        )

    def work(self) -> None:
        """Answer every command that waits, unless it is down."""
        session = MemoryCommandQueue(self.commands)
        for received in () if self.is_down else session.receive(100, 0):
            self.seen.append((received.command.verb, received.command.fencing))
            interval = CoverageInterval(
                venue=Venue.IBKR, account="DU1", source=Source.SAME_DAY, start=MIDNIGHT, end=self.clock.at
            )
            batch = FillBatch(venue=Venue.IBKR, source=Source.SAME_DAY, origin="sweep", coverage=(interval,))
            self.fills.record(batch, self.clock.at)
            result = CommandResult(
                command_id=received.command.command_id, outcome=Outcome.DONE, at=self.clock.at
            )
            session.finish(received, result)

    def shift(self, minutes: int) -> list[Sweep]:
        """A shift of so many minutes."""
        told: list[Sweep] = []
        run_coverage_shift(self.tools, "run-1", self.clock.at + timedelta(minutes=minutes), told.append)
        return told


def test_each_minute_is_swept_under_the_shifts_number_and_nothing_is_open() -> None:
    """Three minutes, three sweeps done, no hole."""
    broker = Broker()
    told = broker.shift(3)
    assert [(sweep.outcome, sweep.holes) for sweep in told] == [(Outcome.DONE, 0)] * 3
    assert {verb for verb, _ in broker.seen} == {Verb.SWEEP}
    assert len({fencing for _, fencing in broker.seen}) == 1


def test_a_broker_session_that_does_not_answer_leaves_holes_that_the_next_sweep_closes() -> None:
    """The shift goes on, says that there was no answer, and how long nobody told anything."""
    broker = Broker()
    broker.is_down = True
    (sweep,) = broker.shift(1)
    assert (sweep.outcome, sweep.reason, sweep.holes) == (None, NO_RESULT, 1)
    broker.is_down = False
    assert [sweep.holes for sweep in broker.shift(2)] == [0, 0]


def test_a_shift_with_an_older_number_is_refused_and_stops() -> None:
    """A worker that slept while its successor swept does nothing any more."""
    broker = Broker()
    broker.commands.fencing["coverage_shift"] = 1_000_000
    with pytest.raises(ShiftLostError, match="higher fencing"):
        broker.shift(3)
    assert not broker.seen


def test_no_account_is_made_up() -> None:
    """Before any answer named an account there is nothing to cover."""
    broker = Broker()
    assert isinstance(broker.tools.record, ToldPositions)
    broker.tools.record.told.clear()
    assert [sweep.coverage for sweep in broker.shift(1)] == [[]]
