"""The coverage shift under a whole stack: ended, killed, left alone, and never two at once.

How long each took is printed: `pytest -s` shows it.
"""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from desk_command import desk_json, run_desk, services

from adapters.configuration.environment import read_environment_file
from adapters.redis.commands import RedisCommandQueue
from adapters.redis.live_state import RedisLiveState
from desk.dagster_api import DagsterApi
from trading.model.broker import BrokerCommand, Outcome, Verb
from trading.ports.live_state import Lease
from trading.services.run_coverage_shift import COMPONENT, SENDER, SHARD

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
BACK_WITHIN_S = 40.0
WATCHED_S = 30.0
WAIT_S = 180.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A stack with a simulated broker at ten times the pace."""
    folder = tmp_path_factory.mktemp("desk-shifts")
    try:
        desk_json(folder, "up", "--gateway", DESK_GATEWAY_SPEED="10")
        run_desk(folder, "migrate")
        yield folder
    finally:
        run_desk(folder, "down")


@pytest.fixture(scope="module")
def live_state(home: Path) -> Iterator[RedisLiveState]:
    """Who holds the lease."""
    state = RedisLiveState(_redis_url(home))
    _next_shift(state, None)
    yield state
    state.close()


def _redis_url(home: Path) -> str:
    return read_environment_file(home / "stack" / "endpoints.env")["REDIS_URL"]


def _holder(live_state: RedisLiveState) -> Lease | None:
    return live_state.lease_holder(COMPONENT, SHARD)


def _next_shift(live_state: RedisLiveState, before: Lease | None) -> tuple[Lease, float]:
    """The shift after `before`, and how long it took; its number must be higher."""
    began = time.monotonic()
    while time.monotonic() - began < WAIT_S:
        holder = _holder(live_state)
        if holder is not None and (before is None or holder.owner != before.owner):
            assert before is None or holder.fencing > before.fencing
            return holder, time.monotonic() - began
        time.sleep(0.05)
    raise AssertionError(f"no shift after {before}")


def _pid(home: Path, service: str) -> int:
    return int(services(desk_json(home, "status"))[service]["pid"])


def _worker(home: Path) -> psutil.Process:
    """The process of the run: the newest interpreter that the code server started for it."""
    below = psutil.Process(_pid(home, "code-server")).children(recursive=True)
    workers = [process for process in below if any("spawn_main" in part for part in process.cmdline())]
    return max(workers, key=psutil.Process.create_time)


def test_a_killed_shift_is_back_within_forty_seconds(home: Path, live_state: RedisLiveState) -> None:
    """kill -9 of the run's process: the lease runs out, and the next shift has a higher number."""
    before = _holder(live_state)
    assert before is not None
    _worker(home).kill()
    _, took = _next_shift(live_state, before)
    print(f"killed shift: the next one after {took:.1f} s")
    assert took < BACK_WITHIN_S


def test_a_terminated_shift_gives_its_lease_back_at_once(home: Path, live_state: RedisLiveState) -> None:
    """Termination is heard in the middle of a wait; the next shift need not wait until the lease ran out."""
    before = _holder(live_state)
    assert before is not None
    run_id = before.owner.removeprefix("run:")
    api = DagsterApi(services(desk_json(home, "status"))["webserver"]["url"])
    began = time.monotonic()
    api.query("mutation End($id: String!) { terminateRun(runId: $id) { __typename } }", id=run_id)
    while _holder(live_state) == before and time.monotonic() - began < WAIT_S:
        time.sleep(0.02)
    freed = time.monotonic() - began
    _, took = _next_shift(live_state, before)
    print(f"terminated shift: lease free after {freed:.1f} s, the next one after {took + freed:.1f} s")
    assert took + freed < BACK_WITHIN_S


@pytest.mark.parametrize("service", ["daemon", "code-server"])
def test_a_killed_scheduler_leaves_the_shift_alone(
    home: Path, live_state: RedisLiveState, service: str
) -> None:
    """The run goes on under its lease while the service that started it comes back."""
    before = _holder(live_state)
    assert before is not None
    os.kill(_pid(home, service), signal.SIGKILL)
    deadline = time.monotonic() + WATCHED_S
    while time.monotonic() < deadline:
        assert _holder(live_state) == before
        time.sleep(0.1)


def test_a_second_worker_is_refused_and_its_commands_are_fenced(
    home: Path, live_state: RedisLiveState
) -> None:
    """Nobody gets the lease beside its holder, and a lower number of the same sender is refused."""
    holder = _holder(live_state)
    assert holder is not None
    assert live_state.acquire_lease(COMPONENT, SHARD, "somebody else", 10) is None
    now = datetime.now(UTC)
    late = BrokerCommand(
        command_id=f"late-{now.timestamp()}", verb=Verb.SWEEP, sender=SENDER, fencing=holder.fencing - 1,
        issued_at=now, valid_until=now + timedelta(minutes=1),
    )  # fmt: skip
    answer = RedisCommandQueue(_redis_url(home)).send(late)
    assert answer is not None
    assert answer.outcome is Outcome.REFUSED
