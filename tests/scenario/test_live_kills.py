"""Kills at random moments of a live session: after the next sweep the tables are the gateway's journal.

Broker session, drain, Redis (its journal kept), warehouse server and gateway: real processes, all SIGKILL.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from live_desk import KILLABLE, LOST_REDIS, LiveDesk, live_desk

import sql
from adapters.clickhouse.client import Warehouse
from desk.gateway_control import GatewayControlError, do_fault
from desk.live_session import let_the_night_begin
from desk.play_folder import PlayFolder
from simulation.sample_desk import Difference, Journal, compare
from trading.errors import DeskError

OVER_S = 400.0
EQUAL_S = 120.0  # a sweep, its drain, and services that have just come back
WRITTEN_S = 120.0
SWEEPS = 2  # the second one was asked for when all were back
HURRY = "speed 2000"  # of the rest of the session, once everybody was killed


def live_difference(desk: LiveDesk, journal: Journal) -> tuple[Difference, ...]:
    """What a stream can know: every execution with its fees; bookings come with the statement."""
    executed = tuple(row for row in journal.fills if row["kind"] == "trade")
    warehouse = Warehouse(desk.server.url)
    try:
        return compare(replace(journal, fills=executed), fills=warehouse.rows(sql.query("fills_standing")))
    finally:
        warehouse.close()


def truth_of(desk: LiveDesk, folder: PlayFolder) -> Journal:
    """Let the gateway go on to the morning, where it writes down what the day was."""
    deadline = time.monotonic() + WRITTEN_S
    told_at = 0.0
    while not folder.journal.exists():
        assert time.monotonic() < deadline, "the gateway did not write its journal"
        if time.monotonic() - told_at > 5.0:
            told_at = time.monotonic()
            try:
                let_the_night_begin(folder, desk.control_port)
            except GatewayControlError:
                continue
        time.sleep(0.1)
    return Journal.read(folder.journal)


def wait_until(is_so: Callable[[], bool], what: Callable[[], object]) -> None:
    """Poll a warehouse that may have just come back; what is the case at the end is the failure's text."""
    deadline = time.monotonic() + EQUAL_S
    while True:
        with suppress(DeskError):
            if is_so():
                return
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def sweeps(desk: LiveDesk, since: datetime) -> int:
    """Complete answers about executions that the warehouse has."""
    told = (
        "question = 'executions' and completeness = 'complete' and heard_at >= {since:DateTime64(6, 'UTC')}"
    )
    found = desk.warehouse.value(f"select count() from audit.outbox_entries where {told}", {"since": since})
    return int(found)


def play_and_kill(
    desk: LiveDesk, victims: list[str], rng: Random, pause_s: tuple[float, float], *, then: str = ""
) -> int:
    """Kill all of them while the session goes on, on a slow machine the last ones in the pause at its end.

    `then` is done to the gateway when nobody is left to kill; returns how many kills there were.
    """
    folder = PlayFolder.of(desk.settings)
    deadline = time.monotonic() + OVER_S
    kills = 0
    while kills < len(victims) or not folder.is_over():
        assert time.monotonic() < deadline, "the session did not end"
        time.sleep(rng.uniform(*pause_s))
        if kills < len(victims):
            desk.kill(victims[kills])
            kills += 1
        elif then:
            with suppress(GatewayControlError):  # it may be starting
                do_fault(desk.control_port, then)
    # The pause lasts, so the next sweeps still tell the whole day; it is over when all of it is stored.
    desk.services.wait_until_ready(WRITTEN_S)
    since = datetime.now(UTC)
    wait_until(lambda: sweeps(desk, since) >= SWEEPS, lambda: "no sweeps after all were back")
    journal = truth_of(desk, folder)
    wait_until(lambda: not live_difference(desk, journal), lambda: live_difference(desk, journal))
    assert len([row for row in journal.fills if row["kind"] == "trade"]) > 100
    assert desk.warehouse.rows(sql.query("outbox_gaps"), {"most": 10}) == []
    return kills


@pytest.mark.timeout(600)
def test_each_process_killed_once_and_redis_lost(tmp_path: Path) -> None:
    """One kill -9 of each of the five, and a Redis that comes back with nothing: all is stored, once.

    A lost Redis begins a new life of its stream, in which the session tells everything again.
    """
    rng = Random(1)
    victims = rng.sample((*KILLABLE, LOST_REDIS), len(KILLABLE) + 1)
    with live_desk(tmp_path, SPEED="300", PAUSES="true") as desk:
        assert play_and_kill(desk, victims, rng, (0.5, 2.5), then=HURRY) == len(victims)
        lives = desk.warehouse.rows("select distinct epoch from audit.outbox_entries")
        assert len(lives) == 2


@pytest.mark.soak
def test_fifty_kills_in_one_run(tmp_path: Path) -> None:
    """Fifty kills at random moments of one session with faults: the tables are the journal.

    Without the bust of the sample's script, which only a statement tells.
    """
    rng = Random(50)
    victims = rng.sample(KILLABLE * 10, 50)
    sample = Path(__file__).parents[2] / "simulation" / "faults" / "sample.faults"
    faults = tmp_path / "without_bust.faults"
    faults.write_text("".join(line for line in sample.open() if "bust" not in line))
    with live_desk(tmp_path, SPEED="100", PAUSES="true", FAULTS=str(faults)) as desk:
        assert play_and_kill(desk, victims, rng, (0.5, 5.0)) == len(victims)
