"""The drain's process: it beats, waits for what is down ever longer, and ends between two batches."""

from typing import Any

import pytest

from adapters.memory.live_state import MemoryLiveState
from desk.residents.drain import COMPONENT, run_drain
from desk.residents.life import PAUSE_FIRST_S, PAUSE_MAX_S, beat_once
from trading.errors import LiveStateUnavailableError, WarehouseError, WarehouseUnavailableError
from trading.services.drain_outbox import DrainReport, OutboxDrain


class Scripted(OutboxDrain):
    """Does in each round what the script says: an error, or nothing."""

    def __init__(self, script: list[Exception | None]) -> None:
        self.script = script
        self.rounds = 0

    def drain_once(self, wait_s: float) -> DrainReport:
        """The next line of the script."""
        error = self.script[self.rounds]
        self.rounds += 1
        if error is not None:
            raise error
        return DrainReport()


def played(script: list[Exception | None]) -> tuple[Scripted, list[float], int]:
    """Run a script to its end; the pauses, and how often the process said that it lives."""
    drain, pauses, beats = Scripted(script), [], []
    run_drain(
        drain,
        lambda: beats.append(1),
        lambda: drain.rounds == len(script),
        lambda pause_s: pauses.append(pause_s),
    )
    return drain, pauses, len(beats)


def test_what_is_down_is_waited_for_ever_longer_up_to_a_bound() -> None:
    """The process goes on living, and saying so."""
    down: list[Exception | None] = [WarehouseUnavailableError("down")] * 8
    drain, pauses, beats = played(down)
    assert drain.rounds == beats == 8
    assert pauses[0] == PAUSE_FIRST_S
    assert pauses == sorted(pauses)
    assert pauses[-1] == pauses[-2] == PAUSE_MAX_S


def test_after_a_good_round_the_patience_starts_anew() -> None:
    """Every error of ours is waited out, also one that the warehouse calls final."""
    errors: list[Exception | None] = [
        LiveStateUnavailableError("down"),
        WarehouseError("refused"),
        None,
        WarehouseUnavailableError("down"),
        None,
    ]
    _, pauses, _ = played(errors)
    assert pauses == [PAUSE_FIRST_S, 2 * PAUSE_FIRST_S, PAUSE_FIRST_S]


def test_a_fault_of_the_code_ends_the_process() -> None:
    """Its keeper starts it again; nothing was acknowledged."""
    with pytest.raises(ZeroDivisionError):
        played([ZeroDivisionError()])


def test_the_heartbeat_is_written_and_a_silent_live_state_is_no_reason_to_die() -> None:
    """Under the name that the supervisor looks for."""
    live_state = MemoryLiveState()
    beat_once(live_state, COMPONENT)
    assert list(live_state.heartbeats()) == [COMPONENT]

    class Silent(MemoryLiveState):
        def beat(self, *_: Any) -> None:
            raise LiveStateUnavailableError("down")

    beat_once(Silent(), COMPONENT)
