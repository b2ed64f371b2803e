"""From the outbox to the warehouse: events drained per second beside a bare insert, and append to row.

All in one run on one Redis and one embedded server. The bare insert is the naive writer: the same entries,
fills and fees into the same kind of tables, with nothing asked, judged, acknowledged or looked for. The time
to the row is the server's own, between the entry's id (Redis' clock) and the row's `ingested_at`, with the
drain in a process of its own and a steady stream of executions, each with its fee.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

import pyarrow as pa  # noqa: E402
from desk_command import environment  # noqa: E402
from drain_samples import OPEN, commission, execution, message  # noqa: E402
from embedded_warehouse import RunningWarehouse, start_warehouse  # noqa: E402
from real_redis import RunningRedis, start_redis  # noqa: E402

from adapters.clickhouse.broker_event_store import COLUMNS, entry_cells  # noqa: E402
from adapters.clickhouse.client import Warehouse  # noqa: E402
from adapters.clickhouse.fill_rows import commissions_table, revisions_table  # noqa: E402
from adapters.clickhouse.migrator import migrate  # noqa: E402
from adapters.configuration import load_settings  # noqa: E402
from adapters.ibkr.live_messages import LiveMessages  # noqa: E402
from adapters.redis.outbox import RedisOutbox, RedisOutboxReader  # noqa: E402
from adapters.wiring import drain_tools  # noqa: E402
from trading.model.broker import BrokerEvent, OutboxEntry  # noqa: E402
from trading.model.fills import content_hashes  # noqa: E402
from trading.services.drain_outbox import ENTRIES_PER_BATCH_MAX, OutboxDrain  # noqa: E402
from trading.settings import Settings  # noqa: E402

EXECUTIONS = 10_000
EVENTS_PER_APPEND = 100
RATE_PER_S = 50
STREAM_S = 10.0
WAIT_MAX_S = 60.0
LATENCY = """
select quantilesExact(0.5, 0.99, 1)(ms) as ms, count() as executions
from
(
    select toUnixTimestamp64Milli(min(f.ingested_at)) - min(e.entry_ms) as ms
    from audit.outbox_entries as e
    inner join core.fill_revisions as f on f.exec_id = e.exec_id
    where e.message_type = '11' and e.exec_id like 'live.%'
    group by e.exec_id
)
"""


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--executions", type=int, default=EXECUTIONS)
    asked.add_argument("--rate", type=int, default=RATE_PER_S, help="executions per second of the stream")
    options = asked.parse_args()
    with services() as (redis, server, home):
        through(redis, server, home, options.executions)
        latency(redis, server, home, options.rate)


@contextmanager
def services() -> Iterator[tuple[RunningRedis, RunningWarehouse, Path]]:
    """A Redis that writes its journal, a migrated warehouse, a home folder, all of this run's own."""
    with tempfile.TemporaryDirectory(prefix="b-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        redis = start_redis(Path(folder) / "r", append_only=True)
        server = start_warehouse(Path(folder) / "w")
        try:
            migrate(Warehouse(server.url))
            yield redis, server, home
        finally:
            redis.kill()
            server.stop()


def through(redis: RunningRedis, server: RunningWarehouse, home: Path, executions: int) -> None:
    """How fast a backlog goes through, against the bare insert of what it holds."""
    events = told("back", executions)
    outbox = RedisOutbox(redis.url)
    started = time.perf_counter()
    for start in range(0, len(events), EVENTS_PER_APPEND):
        outbox.append(events[start : start + EVENTS_PER_APPEND])
    appended_s = time.perf_counter() - started
    bare_s = bare(Warehouse(server.url), entries_of(events))
    drain = OutboxDrain(drain_tools(settings_of(redis, server, home), Warehouse(server.url), "benchmark"))
    started = time.perf_counter()
    drained = 0
    while drained < len(events):
        drained += drain.drain_once(0).entries
    drained_s = time.perf_counter() - started
    print(f"live fills, {executions:,} executions with their fees: {len(events):,} events")
    print(f"  appended, {EVENTS_PER_APPEND} at a time, journal fsynced: {len(events) / appended_s:10,.0f} /s")
    print(f"  bare insert of the same rows:              {len(events) / bare_s:10,.0f} /s")
    print(
        f"  drained:                                   {len(events) / drained_s:10,.0f} /s"
        f"   ratio {bare_s / drained_s:.2f} (aim 0.30)"
    )


def bare(client: Warehouse, entries: list[OutboxEntry]) -> float:
    """Seconds that the same rows take where nothing is asked; batches as the drain takes them."""
    tables = {
        name: f"core.bare_{place}"
        for place, name in enumerate(("audit.outbox_entries", "core.fill_revisions", "core.commission_facts"))
    }
    for name, copy in tables.items():
        client.command(f"create table {copy} as {name}")
    entries_copy, fills_copy, fees_copy = tables.values()
    started = time.perf_counter()
    for start in range(0, len(entries), ENTRIES_PER_BATCH_MAX):
        part = entries[start : start + ENTRIES_PER_BATCH_MAX]
        rows = [entry_cells(entry, OPEN) for entry in part]
        client.insert(entries_copy, COLUMNS, rows, f"bare-{start}")
        batch = LiveMessages().batch([entry.event.payload["fields"] for entry in part], {}, "bare")
        fills = revisions_table(batch.fills, content_hashes(batch.fills), "bare", OPEN)
        client.insert_arrow(fills_copy, fills, f"bare-{start}")
        hashes = [fact.content_hash for fact in batch.commissions]
        fees = commissions_table(batch.commissions, hashes, pa.array(["bare"] * len(hashes)), OPEN)
        client.insert_arrow(fees_copy, fees, f"bare-{start}")
    seconds = time.perf_counter() - started
    for copy in tables.values():
        client.command(f"drop table {copy} sync")
    return seconds


def latency(redis: RunningRedis, server: RunningWarehouse, home: Path, rate: int) -> None:
    """From append to row under a steady stream, with the drain as the process that the stack runs."""
    drain = subprocess.Popen(
        [sys.executable, "-m", "desk.residents.drain"],
        env=environment(home, CLICKHOUSE_URL=server.url, REDIS_URL=redis.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        stream(redis, told("live", 2 * rate)[: 2 * rate])  # it is up and warm when these are gone
        settle(redis)
        client = Warehouse(server.url)
        client.command("truncate table core.fill_revisions")
        stream(redis, told("live.9", int(rate * STREAM_S)), rate)
        settle(redis)
        found = client.rows(LATENCY.replace("'live.%'", "'live.9%'"))[0]
    finally:
        drain.terminate()
        drain.wait()
    p50, p99, most = found["ms"]
    print(f"  append to row at {rate} executions/s ({found['executions']} seen): "
          f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, max {most:.0f} ms (aim p99 1,000 ms)")  # fmt: skip


def stream(redis: RunningRedis, events: list[BrokerEvent], rate: int = 0) -> None:
    """Append an execution and its fee at a time, `rate` of these a second; as fast as it goes without."""
    outbox = RedisOutbox(redis.url)
    started = time.perf_counter()
    for place in range(0, len(events), 2):
        if rate:
            time.sleep(max(0.0, started + place / 2 / rate - time.perf_counter()))
        outbox.append(events[place : place + 2])


def settle(redis: RunningRedis) -> None:
    """Wait until the outbox is empty."""
    reader = RedisOutboxReader(redis.url, consumer="onlooker")
    deadline = time.monotonic() + WAIT_MAX_S
    while reader.backlog().entries and time.monotonic() < deadline:
        time.sleep(0.05)


def entries_of(events: list[BrokerEvent]) -> list[OutboxEntry]:
    """The events as they lie in a stream."""
    return [
        OutboxEntry(
            stream="bare", entry_id=f"1795000000000-{number}", epoch="e", sequence=number, event=event
        )
        for number, event in enumerate(events, start=1)
    ]


def told(name: str, executions: int) -> list[BrokerEvent]:
    """Executions, each followed by its fee."""
    exec_ids = [f"{name}.{number:08x}.01.01" for number in range(executions)]
    return [message(fields) for exec_id in exec_ids for fields in (execution(exec_id), commission(exec_id))]


def settings_of(redis: RunningRedis, server: RunningWarehouse, home: Path) -> Settings:
    """The settings of a desk at these addresses."""
    named = environment(home, CLICKHOUSE_URL=server.url, REDIS_URL=redis.url)
    return load_settings(named, with_stack=False)


if __name__ == "__main__":
    main()
