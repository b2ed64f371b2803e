"""Long runs of the server: memory and descriptors that do not grow, kills that lose nothing.

Run by name: `pytest tests/contract/warehouse_server/soak_server.py -m soak -s`; each prints its figures.
"""

import threading
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
import psutil
import pytest
from embedded_warehouse import RunningWarehouse, start_warehouse
from warehouse_http import ask

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]
MIB = 1024 * 1024


def read_all(warehouse: RunningWarehouse, sql: str, output_format: str) -> tuple[float, int, int, int]:
    """Seconds, bytes, and the server's memory before and at its most, in MiB."""
    process = psutil.Process(warehouse.process.pid)
    client = clickhouse_connect.get_client(dsn=warehouse.url, compress=False)
    before = most = process.memory_info().rss
    total = 0
    started = time.monotonic()
    with client.raw_stream(sql, fmt=output_format) as stream:
        while part := stream.read(8 * MIB):
            total += len(part)
            most = max(most, process.memory_info().rss)
    client.close()
    return time.monotonic() - started, total, before // MIB, most // MIB


@pytest.mark.parametrize(
    ("output_format", "rows", "width", "growth_mib"),
    [
        ("Native", 200_000_000, 8, 150),
        ("RowBinary", 100_000_000, 8, 150),
        ("ArrowStream", 100_000_000, 0, 150),
        ("Parquet", 50_000_000, 0, 700),
        ("JSONEachRow", 20_000_000, 0, 250),
    ],
)
def test_streams_are_flat(tmp_path: Path, output_format: str, rows: int, width: int, growth_mib: int) -> None:
    """However many rows: the server's memory stays."""
    running = start_warehouse(tmp_path)
    ask(running, "select count() from numbers(10000000)")
    seconds, size, before, most = read_all(running, f"select number from numbers({rows})", output_format)
    running.stop()
    print(f"\n{output_format}: {rows:,} rows, {size:,} bytes in {seconds:.1f} s, RSS {before} -> {most} MiB")
    assert size >= rows * width
    assert most - before < growth_mib


def test_thirty_thousand_queries(tmp_path: Path) -> None:
    """Eight clients, 30,000 queries, sessions and errors among them: memory and descriptors do not drift."""
    running = start_warehouse(tmp_path)
    process = psutil.Process(running.process.pid)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        client = clickhouse_connect.get_client(dsn=running.url, autogenerate_session_id=number % 2 == 0)
        try:
            for at in range(3750):
                if at % 10 == 0:
                    assert ask(running, "select nope").code == 47
                assert client.query("select {n:UInt32}", parameters={"n": at}).result_rows == [(at,)]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    marks: list[tuple[int, int]] = []
    started = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        time.sleep(2)
        marks.append((process.memory_info().rss // MIB, process.num_fds()))
    seconds = time.monotonic() - started
    running.stop()
    middle = marks[len(marks) // 2]
    print(f"\n33,000 queries in {seconds:.0f} s, RSS and descriptors: {marks[0]} {middle} {marks[-1]}")
    assert not failures
    assert marks[-1][0] - middle[0] < 60
    assert marks[-1][1] - middle[1] < 30


def test_twenty_kills(tmp_path: Path) -> None:
    """SIGKILL in the middle of inserts, twenty times: nothing acknowledged is missing or torn."""
    acknowledged: list[int] = []
    slowest = 0.0
    for trial in range(20):
        begun = time.monotonic()
        running = start_warehouse(tmp_path)
        client = clickhouse_connect.get_client(dsn=running.url, autogenerate_session_id=False)
        slowest = max(slowest, time.monotonic() - begun)
        client.command(
            "create table if not exists k (batch UInt64, n UInt32) engine MergeTree order by (batch, n)"
        )
        inserting = threading.Thread(target=insert_until_it_fails, args=(client, acknowledged, trial))
        inserting.start()
        time.sleep(0.8)
        running.kill()
        inserting.join(60)
    running = start_warehouse(tmp_path)
    rows = ask(running, "select batch, count() from k group by batch").body.decode().splitlines()
    running.stop()
    stored = {int(batch): int(count) for batch, count in (row.split("\t") for row in rows)}
    lost = set(acknowledged) - set(stored)
    torn = [count for count in stored.values() if count != 1000]
    extra = len(set(stored) - set(acknowledged))
    counts = f"{len(acknowledged)} acknowledged, lost {len(lost)}, torn {len(torn)}, unacknowledged {extra}"
    print(f"\n{counts}, slowest start to first answer {slowest:.2f} s")
    assert not lost
    assert not torn


def insert_until_it_fails(client: Any, acknowledged: list[int], trial: int) -> None:
    for number in range(100_000):
        batch = trial * 100_000 + number
        try:
            client.insert("k", [[batch, n] for n in range(1000)], column_names=["batch", "n"])
        except Exception:
            return
        acknowledged.append(batch)
