"""The lease of a resident that writes: whose it is, who waits for it, what is told when it is lost."""

import os
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from alert_ends import shows_the_end_of

from adapters.memory.alerts import MemoryAlerts
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.market import MemoryMarket, MemoryMarketSink
from desk.residents import writer_lease
from desk.residents.writer_lease import (
    PATIENCE_BEYOND_S,
    KeptWriter,
    held,
    is_dead,
    patience_of,
    shown_name,
    stand_by,
    this_process,
)
from desk.stack.residents import BEATING, STAND_BY, resident_services
from trading.errors import FencedOutError, HeldElsewhereError, LiveStateUnavailableError
from trading.ports.live_state import Lease
from trading.services.hold_lease import HeldLease


class AwayState(MemoryLiveState):
    """Answers nothing."""

    def acquire_lease(self, component: str, shard: str, owner: str, ttl_s: int) -> Lease | None:
        raise LiveStateUnavailableError("away")


def lease(state: MemoryLiveState, owner: str, ttl_s: int = 60) -> HeldLease:
    """One that this process wants."""
    return HeldLease(state, "ingest", owner, ttl_s)


def no_pause(_: float) -> None:
    """At once."""


def ended_process() -> str:
    """The name of one that is gone."""
    code = "from desk.residents.writer_lease import this_process; print(this_process())"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.skipif(not writer_lease.MACHINE.exists(), reason="this system has no mark of its start")
def test_a_process_is_dead_only_where_it_is_proved() -> None:
    """Ours lives; one that ended is dead; one elsewhere, or of a name that is none, is not known to be."""
    gone = ended_process()
    assert is_dead(gone)
    assert not is_dead(this_process())
    assert not is_dead("elsewhere/" + gone.partition("/")[2])
    assert not is_dead("/".join(gone.split("/")[:2]))
    assert not is_dead("")


@pytest.mark.skipif(not writer_lease.MACHINE.exists(), reason="this system has no mark of its start")
def test_a_pid_that_was_given_away_again_is_another_process() -> None:
    """The start time tells them apart."""
    where, pid, began, *end = this_process().split("/")
    assert pid == str(os.getpid())
    assert is_dead("/".join((where, pid, f"{float(began) - 100:.2f}", *end)))


def test_a_holder_is_shown_to_people_by_machine_process_and_time() -> None:
    """A name of another release is shown as it is."""
    assert shown_name(this_process()) == f"process {os.getpid()} on {socket.gethostname()}"
    assert shown_name("one") == "one"
    state = MemoryLiveState()
    began = datetime.now(UTC)
    held_now = HeldLease(state, "ingest", this_process(), 60, shown=shown_name)
    assert held_now.take() is not None
    days = (f"{at:%Y-%m-%d }" for at in (began, datetime.now(UTC)))  # it may be midnight meanwhile
    beginnings = tuple(f"{shown_name(this_process())}, since {day}" for day in days)
    assert held_now.holder().startswith(beginnings)


def test_a_second_one_of_a_person_ends_and_one_of_the_supervisor_waits() -> None:
    """By the word that the supervisor starts its processes with."""
    state, alerts = MemoryLiveState(), MemoryAlerts()
    state.acquire_lease("ingest", "writer", "one", 60)
    second = lease(state, "two", 0)
    assert patience_of(second, ["desk.residents.ingest", STAND_BY]) is None
    assert patience_of(second, ["desk", "ingest"]) == PATIENCE_BEYOND_S
    with pytest.raises(HeldElsewhereError, match="ingest is held by one"):
        stand_by(second, alerts, lambda: False, needs_live_state=True, patience_s=0, pause=no_pause)
    assert not alerts.told
    for service in resident_services(BEATING, {}, {}, (), dict):
        assert service.command[-1] == STAND_BY


@shows_the_end_of("stands_by-")
def let_the_clock_go_on() -> None:
    """A lease of no length lives until the clock reads later than it did."""
    before = time.monotonic()
    while time.monotonic() <= before:
        pass


def test_who_stands_by_says_so_once_and_begins_when_the_lease_is_free() -> None:
    """A restart after a kill is no news: the alert comes after two lives of the lease."""
    state, alerts, looks = MemoryLiveState(), MemoryAlerts(), 0
    first = lease(state, "one", 0)
    first.lease = state.acquire_lease("ingest", "writer", "one", 60)
    second = lease(state, "two", 0)

    def pause(_: float) -> None:
        nonlocal looks
        looks += 1
        let_the_clock_go_on()
        if looks == 3:
            first.give_back()

    assert stand_by(second, alerts, lambda: False, needs_live_state=True, pause=pause)
    assert looks == 3
    assert list(alerts.told) == ["stands_by-ingest"]
    assert alerts.over == {"stands_by-ingest": "it writes now"}


def test_who_stands_by_ends_when_it_is_told_to() -> None:
    """A process that waits is stopped as any other."""
    state = MemoryLiveState()
    state.acquire_lease("ingest", "writer", "one", 60)
    stops = iter((False, False, True))
    second = lease(state, "two")
    assert not stand_by(
        second, MemoryAlerts(), lambda: next(stops), needs_live_state=True, pause=lambda _: None
    )


def test_a_live_state_that_is_away_is_waited_for_only_by_who_needs_it() -> None:
    """Who hears the market begins; who polls vendors does not."""
    stops, away = iter((False, False, True)), lease(AwayState(), "one")
    assert stand_by(away, MemoryAlerts(), lambda: False, needs_live_state=False)
    assert not stand_by(
        away, MemoryAlerts(), lambda: next(stops), needs_live_state=True, pause=lambda _: None
    )


def test_a_lost_lease_is_one_alert_and_is_not_given_back_for_another() -> None:
    """The successor keeps what it has."""
    state, alerts = MemoryLiveState(), MemoryAlerts()
    first, second = lease(state, "one", 0), lease(state, "two")
    with pytest.raises(FencedOutError), held(first, alerts):
        writer = KeptWriter(first, MemoryMarketSink(MemoryMarket()))
        writer.keep()
        assert second.take() is not None
        writer.keep()
    assert list(alerts.told) == ["fenced_out-ingest"]
    assert state.lease_holder("ingest", "writer") == second.lease


def test_a_refused_write_tells_who_follows_it() -> None:
    """Where it is written only the successor's number is known; people are told the process."""
    state, alerts = MemoryLiveState(), MemoryAlerts()
    first, second = lease(state, "one", 0), lease(state, "two")
    with (
        pytest.raises(FencedOutError, match=r"number 7 is known; two, since .* has the lease"),
        held(first, alerts),
    ):
        assert first.take() is not None and second.take() is not None
        raise FencedOutError("number 7 is known")
