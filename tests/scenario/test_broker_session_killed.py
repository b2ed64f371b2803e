"""The broker session as a process: killed in the middle it does nothing twice, stopped it ends in order."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gateway_client import gateway, run, until
from real_redis import RunningRedis, redis_binary, start_redis
from session_desk import place
from small_broker import ACCOUNT, OPTION, SmallBroker, hand_clock

from adapters.clock import SystemClock
from adapters.redis.commands import RedisCommandQueue
from adapters.redis.live_state import RedisLiveState
from adapters.redis.outbox import RedisOutboxReader
from simulation.broker.model import BrokerSays, Ticket
from trading.model.broker import BrokerCommand, BrokerEventKind, OutboxEntry, Outcome, Verb

WAIT_S = 90.0


class SilentBroker(SmallBroker):
    """Takes orders without a word, so that a session can die over them."""

    is_silent = True

    def place(self, ticket: Ticket, now: Any) -> list[BrokerSays]:
        told = super().place(ticket, now)
        return [] if self.is_silent else told


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RunningRedis]:
    """A Redis of the test's own."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine")
    running = start_redis(tmp_path, append_only=True)
    yield running
    running.kill()


@asynccontextmanager
async def session_process(port: int, redis_url: str, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m desk.residents.broker` against this gateway; ended with SIGTERM where it still runs."""
    environment = {
        "PATH": os.environ["PATH"],
        "DESK_HOME": str(home),
        "REDIS_URL": redis_url,
        "BROKER_HOST": "127.0.0.1",
        "BROKER_PORT": str(port),
        "BROKER_SIMULATED_CLOCK": "true",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "desk.residents.broker", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), WAIT_S) == 0


def entries(reader: RedisOutboxReader, kept: list[OutboxEntry]) -> list[OutboxEntry]:
    """Everything that stood in the outbox up to now."""
    batch = reader.read(1_000, 0.01)
    reader.ack(batch.entry_ids)
    kept += batch.entries
    return kept


def test_a_session_killed_over_an_order_finds_it_and_does_not_send_it_again(
    tmp_path: Path, redis_server: RunningRedis
) -> None:
    """SIGKILL between the order and the broker's word: the next session looks for it, and finds it once."""
    queue = RedisCommandQueue(redis_server.url)
    now = SystemClock().now()
    order = BrokerCommand(
        command_id="c1",
        verb=Verb.PLACE,
        sender="test",
        fencing=1,
        issued_at=now,
        valid_until=now + timedelta(seconds=60),
        payload=place("r1", OPTION.conid, ACCOUNT, order_type="LMT", limit_price="0.5"),
    )

    async def scenario() -> None:
        broker = SilentBroker()
        reader, kept = RedisOutboxReader(redis_server.url, consumer="test"), []  # type: ignore[var-annotated]
        async with gateway(broker, hand_clock(), accounts=(ACCOUNT,)) as server:
            async with session_process(server.port, redis_server.url, tmp_path / "home") as first:
                await until(lambda: _is_ready(entries(reader, kept)), "a ready link", WAIT_S)
                queue.send(order)
                await until(lambda: bool(broker.orders), "the order at the broker", WAIT_S)
                first.kill()
                await first.wait()
            assert queue.result("c1") is None
            assert _outcomes(entries(reader, kept)) == [Outcome.IN_DOUBT], (
                "its record was kept before it went"
            )
            async with session_process(server.port, redis_server.url, tmp_path / "home"):
                await until(lambda: queue.result("c1") is not None, "the decision", WAIT_S)
        result = queue.result("c1")
        assert result is not None and result.outcome is Outcome.DONE, result
        assert len(broker.orders) == 1

    run(scenario())


def test_a_session_says_that_it_lives_and_ends_in_order(tmp_path: Path, redis_server: RunningRedis) -> None:
    """Its heartbeat is there while it runs; after SIGTERM the last word in the outbox is that it stopped."""

    async def scenario() -> None:
        reader, kept = RedisOutboxReader(redis_server.url, consumer="test"), []  # type: ignore[var-annotated]
        live_state = RedisLiveState(redis_server.url)
        async with gateway(SmallBroker(), hand_clock(), accounts=(ACCOUNT,)) as server:
            async with session_process(server.port, redis_server.url, tmp_path / "home"):
                await until(lambda: "broker" in live_state.heartbeats(), "a heartbeat", WAIT_S)
                await until(lambda: _is_ready(entries(reader, kept)), "a ready link", WAIT_S)
            last = entries(reader, kept)[-1].event
            assert (last.kind, last.payload["state"]) == (BrokerEventKind.LINK, "stopped")

    run(scenario())


def _is_ready(told: list[OutboxEntry]) -> bool:
    links = [entry.event.payload["state"] for entry in told if entry.event.kind is BrokerEventKind.LINK]
    return "ready" in links


def _outcomes(told: list[OutboxEntry]) -> list[Outcome]:
    commands = [entry.event for entry in told if entry.event.kind is BrokerEventKind.COMMAND]
    return [Outcome(event.payload["outcome"]) for event in commands]
