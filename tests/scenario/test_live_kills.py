"""Kills at random moments of a live session: after the next sweep the tables are the gateway's journal.

Broker session, drain, Redis (its journal kept), warehouse server and gateway: real processes, all SIGKILL.
"""

import time
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from live_desk import KILLABLE, LOST_REDIS, LiveDesk, live_desk

import sql
from adapters.clickhouse.client import Warehouse
from desk.gateway_control import GatewayControlError, do_fault
from desk.play_folder import PlayFolder
from simulation.sample_desk import Difference, Journal, compare
from trading.errors import DeskError

OVER_S = 400.0
EQUAL_S = 90.0  # a sweep, its drain, and services that have just come back
WRITTEN_S = 60.0


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
                do_fault(desk.control_port, "thaw clock")
            except GatewayControlError:
                continue
        time.sleep(0.1)
    return Journal.read(folder.journal)


def wait_until_equal(desk: LiveDesk, journal: Journal) -> None:
    """Poll until the warehouse has the truth; the last differences are the failure's text."""
    deadline = time.monotonic() + EQUAL_S
    found: object = None
    while time.monotonic() < deadline:
        try:
            found = live_difference(desk, journal)
        except DeskError as error:
            found = error
        if found == ():
            return
        time.sleep(0.5)
    raise AssertionError(found)


def play_and_kill(desk: LiveDesk, victims: list[str], rng: Random, pause_s: tuple[float, float]) -> int:
    """Kill until the session is over or nobody is left to kill; returns how many kills there were."""
    folder = PlayFolder.of(desk.settings)
    deadline = time.monotonic() + OVER_S
    kills = 0
    while not folder.is_over():
        assert time.monotonic() < deadline, "the session did not end"
        time.sleep(rng.uniform(*pause_s))
        if kills < len(victims) and not folder.is_over():
            desk.kill(victims[kills])
            kills += 1
    # The pause lasts, so the next sweeps still tell the whole day; it is over when all of it is stored.
    desk.services.wait_until_ready(WRITTEN_S)
    time.sleep(3.0)
    journal = truth_of(desk, folder)
    wait_until_equal(desk, journal)
    assert len([row for row in journal.fills if row["kind"] == "trade"]) > 100
    assert desk.warehouse.rows(sql.query("outbox_gaps"), {"most": 10}) == []
    return kills


def test_each_process_killed_once_and_redis_lost(tmp_path: Path) -> None:
    """One kill -9 of each of the five, and a Redis that comes back with nothing: all is stored, once.

    A lost Redis begins a new life of its stream, in which the session tells everything again.
    """
    rng = Random(1)
    victims = rng.sample((*KILLABLE, LOST_REDIS), len(KILLABLE) + 1)
    with live_desk(tmp_path, SPEED="1000", PAUSES="true") as desk:
        assert play_and_kill(desk, victims, rng, (0.5, 2.5)) == len(victims)
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
