"""A difference that no message tells, through the whole live path: noticed, locked, lifted by a statement."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from live_loop import LiveLoop, live_loop
from real_redis import redis_binary

from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.clock import SystemClock
from adapters.ibkr.read_file import read
from adapters.redis.live_state import RedisLiveState
from adapters.wiring import ingest_stores, open_live_state
from trading.model.fills import Venue
from trading.reconciliation.breaks import Pass
from trading.reconciliation.sign_off import sign_off_of
from trading.services.ingest_fills import SourceFile, ingest_fills

SPEED = 5  # a broker minute is twelve seconds of this machine, busy or not
A_BROKER_MINUTE = timedelta(seconds=60)
STANDING = "select * from core.breaks where kind = 'live_position' and state != 'closed'"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveLoop]:
    """The live path at five times the pace, its account signed off before."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    with live_loop(tmp_path_factory.mktemp("live"), speed=SPEED) as running:
        word = sign_off_of(
            Venue.IBKR, running.account, date(2026, 11, 12), [], made_in=Pass.FINAL, run_id="",
            statement_sha256="s", at=SystemClock().now(),
        )  # fmt: skip
        ClickHouseBreakStore(running.warehouse).put_sign_off(word)
        running.trade()
        running.wait_for(
            lambda: bool(running.journal().fills) and not running.differences(), running.differences
        )
        yield running


@pytest.fixture(scope="module")
def live_state(desk: LiveLoop) -> Iterator[RedisLiveState]:
    """The locks in Redis."""
    state = open_live_state(desk.settings)
    assert isinstance(state, RedisLiveState)
    yield state
    state.close()


@pytest.fixture(scope="module")
def noticed(desk: LiveLoop, live_state: RedisLiveState) -> dict[str, Any]:
    """The newest execution is taken back at the broker, of which its interface says nothing."""
    assert not _standing(desk)
    before = desk.running.do(lambda gateway: gateway.clock.now())
    desk.running.fault("bust last execution")
    desk.wait_for(lambda: bool(_standing(desk)) and bool(live_state.locks()), lambda: _standing(desk))
    (row,) = _standing(desk)
    return {**row, "before": before}


def _standing(desk: LiveLoop) -> list[dict[str, Any]]:
    return desk.warehouse.rows(STANDING)


def test_it_is_named_within_a_broker_minute(noticed: dict[str, Any]) -> None:
    """The second answer that says so came less than a minute after the bust, by the broker's clock."""
    assert (noticed["state"], noticed["pass"], noticed["cause"]) == ("open", "live", "")
    assert noticed["difference"] > 0
    seen = datetime.fromisoformat(noticed["evidence"][-1])
    print(f"noticed after {(seen - noticed['before']).total_seconds():.0f} broker seconds")
    assert seen - noticed["before"] < A_BROKER_MINUTE


def test_entries_are_refused_while_it_is_there(
    desk: LiveLoop, live_state: RedisLiveState, noticed: dict[str, Any]
) -> None:
    """In the warehouse and in Redis; a flushed Redis gets the lock back from the next look."""
    assert [lock.is_active for lock in ClickHouseBreakStore(desk.warehouse).locks()] == [True]
    locks = live_state.locks()
    live_state._client.flushdb()
    desk.wait_for(lambda: list(live_state.locks()) == list(locks), live_state.locks)
    answer = live_state.entries_allowed(desk.account, noticed["underlying"], str(noticed["conid"]))
    assert not answer.allowed


def test_the_statement_lifts_it(desk: LiveLoop, live_state: RedisLiveState, noticed: dict[str, Any]) -> None:
    """The statement tells the bust: our fills agree with the broker again, and nothing is left locked."""
    texts = desk.running.do(lambda gateway: _statements(gateway.broker))
    stores = ingest_stores(desk.settings, desk.warehouse, "test")
    for text in texts:
        file = read(text.encode())
        source = SourceFile(name="activity.xml", batches=file.batches, statements=file.statements)
        ingest_fills([source], stores)
    desk.wait_for(lambda: not _standing(desk) and not live_state.locks(), lambda: _standing(desk))
    history = ClickHouseBreakStore(desk.warehouse).history(noticed["break_id"])
    assert [event.state.value for event in history] == ["open", "closed"]


def _statements(broker: Any) -> list[str]:
    broker.close_session(broker.session)
    return [
        broker.statement(account, evening)
        for account, ledger in broker.ledgers.items()
        for evening in ledger.evenings
    ]
