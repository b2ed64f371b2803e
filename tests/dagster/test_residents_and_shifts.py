"""The sensor `residents` and the coverage shift: on a real Redis, with a broker session that a test plays."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from alert_ends import shows_the_end_of
from dagster_desk import DEFINITIONS, Desk, failures

from adapters.configuration import load_settings
from adapters.redis.live_state import RedisLiveState
from adapters.wiring import open_alerts, open_command_queue, open_live_state
from orchestration.resources import RESOURCES
from sensors.residents import JOB, STARTS_PER_WINDOW_MAX, residents
from trading.model.broker import Outcome, Verb
from trading.ports.broker_commands import CommandResult
from trading.services.run_coverage_shift import COMPONENT, SHARD

pytestmark = pytest.mark.timeout(300)
LIVES_S = 60
MARKET = ("ingest", "market-drain", "vendors")


@pytest.fixture
def broker(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisLiveState]:
    """A desk with a broker configured, whose residents live; nothing is left of runs, leases and beats."""
    monkeypatch.setenv("BROKER_HOST", "127.0.0.1")
    monkeypatch.setenv("BROKER_SPEED", "60")
    live_state = open_live_state(load_settings())
    assert isinstance(live_state, RedisLiveState)
    live_state._client.flushdb()
    for run in desk.instance.get_runs():
        desk.instance.delete_run(run.run_id)
    for name in ("broker", "drain", *MARKET):
        live_state.beat(name, datetime.now(UTC), LIVES_S)
    yield live_state
    live_state.close()


def _tick(desk: Desk, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(
        instance=desk.instance, cursor=cursor, definitions=DEFINITIONS, resources=RESOURCES
    )
    with context:
        return residents.evaluate_tick(context)


def test_without_a_broker_nothing_is_asked_for_and_alerts_are_kept(desk: Desk) -> None:
    """A desk that only reads files has no residents to look after, and none that takes alerts away."""
    assert "BROKER_HOST" not in os.environ
    assert open_alerts(load_settings(), "reconciliation").raise_alert("break-of-files", "a difference")
    assert "no broker" in str(_tick(desk).skip_message)
    kept = desk.warehouse.rows("select component, text from audit.alerts where code = 'break-of-files'")
    assert [tuple(row.values()) for row in kept] == [("reconciliation", "a difference")]


def test_a_free_lease_asks_for_the_next_numbered_shift(desk: Desk, broker: RedisLiveState) -> None:
    """One at a time: none while one is on its way, none while somebody holds the lease, then the second."""
    (asked,) = _tick(desk).run_requests
    assert asked.job_name == JOB
    assert ":1:" in asked.run_key
    run = desk.instance.add_run(
        dg.DagsterRun(job_name=JOB, status=dg.DagsterRunStatus.STARTED, tags=asked.tags)
    )
    assert "on its way" in str(_tick(desk).skip_message)
    desk.instance.delete_run(run.run_id)
    ended = dg.DagsterRun(job_name=JOB, status=dg.DagsterRunStatus.FAILURE, tags=asked.tags)
    desk.instance.add_run(ended)
    lease = broker.acquire_lease(COMPONENT, SHARD, "run:x", 60)
    assert lease is not None
    assert "run:x works" in str(_tick(desk).skip_message)
    broker.release_lease(lease)
    (again,) = _tick(desk).run_requests
    assert ":2:" in again.run_key


@shows_the_end_of("residents")
def test_a_silent_process_fails_the_tick_and_is_an_alert_once(desk: Desk, broker: RedisLiveState) -> None:
    """At first it may be restarting; later the tick fails with its name, and no shift is asked for."""
    broker._client.delete("health:broker:heartbeat")
    first = _tick(desk)
    assert "broker did not say yet" in str(first.skip_message)
    assert not first.run_requests
    long_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    for _ in range(2):
        with pytest.raises(dg.DagsterError, match="broker has not said that it lives for 6"):
            _tick(desk, f'{{"broker": "{long_ago}"}}')
    (told,) = broker._client.xrange("alerts:critical")
    assert told[1][b"code"] == b"residents"
    broker.beat("broker", datetime.now(UTC), LIVES_S)
    assert _tick(desk, f'{{"broker": "{long_ago}"}}').cursor == "{}"
    ((_, over),) = broker._client.xrange("alerts:resolved")
    assert over[b"code"] == b"residents"


@shows_the_end_of("residents-")
def test_who_hears_the_market_is_looked_after_and_stops_no_shift(desk: Desk, broker: RedisLiveState) -> None:
    """A silent ingest is an alert, the shift is asked for all the same, and the ticks after it fail."""
    broker._client.delete("health:ingest:heartbeat")
    long_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    cursor = f'{{"ingest": "{long_ago}"}}'
    assert len(_tick(desk, cursor).run_requests) == 1
    (told,) = broker._client.xrange("alerts:critical")
    assert told[1][b"code"] == b"residents-ingest"
    lease = broker.acquire_lease(COMPONENT, SHARD, "run:x", 60)
    assert lease is not None
    with pytest.raises(dg.DagsterError, match="ingest has not said that it lives for 6"):
        _tick(desk, cursor)
    broker.beat("ingest", datetime.now(UTC), LIVES_S)
    _tick(desk, cursor)
    ((_, over),) = broker._client.xrange("alerts:resolved")
    assert over[b"code"] == b"residents-ingest"


def test_a_desk_without_ingestion_expects_none(
    desk: Desk, broker: RedisLiveState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the market is not listened to no listener is missed; its drain is, for what was heard before."""
    monkeypatch.setenv("DESK_INGEST", "false")
    for name in set(MARKET) - {"market-drain"}:
        broker._client.delete(f"health:{name}:heartbeat")
    assert _tick(desk).cursor == "{}"


@shows_the_end_of("shifts")
def test_shifts_that_end_at_once_are_for_a_person(desk: Desk, broker: RedisLiveState) -> None:
    """After some starts within minutes no more is asked for, and the tick says so."""
    for _ in range(STARTS_PER_WINDOW_MAX):
        desk.instance.add_run(dg.DagsterRun(job_name=JOB, status=dg.DagsterRunStatus.FAILURE))
    with pytest.raises(dg.DagsterError, match="shifts began"):
        _tick(desk)
    assert broker._client.hlen("alerts:conditions") == 1
    assert broker.acquire_lease(COMPONENT, SHARD, "run:x", 60) is not None
    _tick(desk)
    ((_, over),) = broker._client.xrange("alerts:resolved")
    assert (over[b"code"], over[b"text"]) == (b"shifts", b"run:x works the shift")


def test_a_shift_sweeps_under_its_lease_and_tells_how_the_session_is_covered(
    desk: Desk, broker: RedisLiveState
) -> None:
    """The run ends at its deadline, its sweeps were done under one number, and the lease is free."""
    seen: list[tuple[Verb, int]] = []
    done = threading.Event()
    session = threading.Thread(target=_play_session, args=(seen, done))
    session.start()
    try:
        result = desk.run(JOB, {"ops": {"sweep_and_cover": {"config": {"minutes": 0.1}}}})
    finally:
        done.set()
        session.join()
    assert not failures(result)
    told = result.get_asset_materialization_events()
    assert told[0].asset_key == dg.AssetKey(["core", "coverage"])
    assert told[0].materialization.metadata["sweep"].value == str(Outcome.DONE)
    assert {verb for verb, _ in seen} == {Verb.SWEEP}
    assert len({fencing for _, fencing in seen}) == 1
    assert broker.lease_holder(COMPONENT, SHARD) is None


def test_a_second_shift_finds_the_lease_taken(desk: Desk, broker: RedisLiveState) -> None:
    """A run that began although another works fails at once, and takes nothing from it."""
    lease = broker.acquire_lease(COMPONENT, SHARD, "run:other", 60)
    assert lease is not None
    result = desk.run(JOB, {"ops": {"sweep_and_cover": {"config": {"minutes": 0.05}}}})
    assert "ShiftTakenError" in failures(result)[0]
    assert broker.lease_holder(COMPONENT, SHARD) == lease


def test_a_shift_is_never_retried_and_never_two_at_once() -> None:
    """The tags that the run queue and the retry daemon read."""
    job = DEFINITIONS.resolve_job_def(JOB)
    assert job.tags["dagster/max_retries"] == "0"
    assert job.tags["desk/kind"] == JOB
    assert job.executor_def.name == "in_process"


def _play_session(seen: list[tuple[Verb, int]], done: threading.Event) -> None:
    """A broker session that does what it is told."""
    queue = open_command_queue(load_settings())
    while not done.is_set():
        for received in queue.receive(10, 0.1):
            seen.append((received.command.verb, received.command.fencing))
            queue.finish(
                received,
                CommandResult(
                    command_id=received.command.command_id, outcome=Outcome.DONE, at=datetime.now(UTC)
                ),
            )
