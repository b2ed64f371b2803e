"""Starting, ending, dying: what holds when a process does not go the usual way."""

import os
import subprocess
import sys
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import clickhouse_connect
import pytest
from embedded_warehouse import ROOT, start_warehouse
from warehouse_http import ENDLESS, TIMEOUT_S, Reply, ask, until_running

from warehouse_server.limits import DRAIN_S

PASSWORDS = {"WAREHOUSE_WRITER_PASSWORD": "w", "WAREHOUSE_READER_PASSWORD": "r"}


def run_server(
    directory: Path, *arguments: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "warehouse_server", "--directory", str(directory), *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("WAREHOUSE_")}
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize("missing", ["WAREHOUSE_WRITER_PASSWORD", "WAREHOUSE_READER_PASSWORD"])
def test_a_missing_password_is_named(tmp_path: Path, missing: str) -> None:
    """Without both passwords it does not start, and nothing is made on disk."""
    environment = {k: v for k, v in PASSWORDS.items() if k != missing}
    ended = run_server(tmp_path / "d", "--port", "0", environment=environment)
    assert ended.returncode == 2 and missing in ended.stderr
    assert not (tmp_path / "d").exists()


def test_a_second_process_is_told_who_serves(tmp_path: Path) -> None:
    """The same directory: code 2 and the owner's process id. The first one serves on."""
    first = start_warehouse(tmp_path)
    try:
        second = run_server(tmp_path, "--port", "0", environment=PASSWORDS)
        assert second.returncode == 2 and str(first.process.pid) in second.stderr
        assert ask(first, "select 1").body == b"1\n"
    finally:
        first.stop()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The same port: code 2 before the engine opens anything."""
    first = start_warehouse(tmp_path / "a")
    try:
        second = run_server(tmp_path / "b", "--port", str(first.port), environment=PASSWORDS)
        assert second.returncode == 2 and str(first.port) in second.stderr
        assert not (tmp_path / "b").exists()
    finally:
        first.stop()


def test_the_ready_file_and_the_engine_file(tmp_path: Path) -> None:
    """Both tell what a supervisor needs: the port, and who wrote the data."""
    running = start_warehouse(tmp_path / "d", arguments=("--ready-file", str(tmp_path / "ready")))
    running.stop()
    assert (tmp_path / "ready").read_text() == f"{running.port}\n"
    assert (tmp_path / "d" / "ENGINE").read_text().strip() == version("chdb-core")


def test_an_older_engine_refuses(tmp_path: Path) -> None:
    """Data of a newer engine are not touched."""
    tmp_path.joinpath("ENGINE").write_text("99.1.0\n")
    ended = run_server(tmp_path, "--port", "0", environment=PASSWORDS)
    assert ended.returncode == 2 and "99.1.0" in ended.stderr
    assert tmp_path.joinpath("ENGINE").read_text() == "99.1.0\n"


def test_a_newer_engine_copies_first(tmp_path: Path) -> None:
    """Data of an older engine are copied before they are opened; the copy opens by itself."""
    running = start_warehouse(tmp_path / "d")
    ask(running, "create table t (a UInt32) engine MergeTree order by a")
    ask(running, "insert into t select number from numbers(10)")
    running.stop()
    (tmp_path / "d" / "ENGINE").write_text("1.2.3\n")
    running = start_warehouse(tmp_path / "d")
    assert ask(running, "select count() from t").body == b"10\n"
    running.stop()
    copy = tmp_path / "d" / "backups" / "before-upgrade-from-1.2.3"
    (tmp_path / "restored").mkdir()
    copy.rename(tmp_path / "restored" / "engine")
    running = start_warehouse(tmp_path / "restored")
    assert ask(running, "select count() from t").body == b"10\n"
    running.stop()


def test_kill_nine_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """Every batch whose answer came is there after SIGKILL; none is torn or twice."""
    acknowledged: list[int] = []
    for _ in range(3):
        running = start_warehouse(tmp_path)
        client = clickhouse_connect.get_client(dsn=running.url, autogenerate_session_id=False)
        client.command(
            "create table if not exists k (batch UInt64, n UInt32) engine MergeTree order by (batch, n) "
            "settings non_replicated_deduplication_window = 1000"
        )
        inserting = threading.Thread(target=_insert_until_it_fails, args=(client, acknowledged))
        inserting.start()
        deadline = time.monotonic() + TIMEOUT_S
        wanted = len(acknowledged) + 20
        while len(acknowledged) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        running.kill()
        inserting.join(TIMEOUT_S)
    running = start_warehouse(tmp_path)
    rows = ask(running, "select batch, count(), uniqExact(n) from k group by batch").body.decode().split("\n")
    stored = {int(b): (int(c), int(u)) for b, c, u in (row.split("\t") for row in rows if row)}
    running.stop()
    assert len(acknowledged) >= 60
    assert not set(acknowledged) - set(stored)
    assert set(stored.values()) == {(500, 500)}


def _insert_until_it_fails(client: Any, acknowledged: list[int]) -> None:
    batch = len(acknowledged) + 1_000_000 * (1 + len(acknowledged) // 20)
    for _ in range(100_000):
        batch += 1
        try:
            rows = [[batch, n] for n in range(500)]
            client.insert(
                "k", rows, column_names=["batch", "n"], settings={"insert_deduplication_token": str(batch)}
            )
        except Exception:
            return
        acknowledged.append(batch)


def test_sigterm_waits_for_a_running_query(tmp_path: Path) -> None:
    """A query under way gets its answer; nobody new is served; the exit code is 0."""
    running = start_warehouse(tmp_path)
    replies: list[Reply] = []
    sql = "select sleep(2), 'done'"
    work = threading.Thread(target=lambda: replies.append(ask(running, sql, query_id="works")))
    work.start()
    until_running(running, "works")
    assert running.stop() == 0
    work.join()
    assert replies[0].body == b"0\tdone\n"


def test_sigterm_ends_an_endless_query_within_its_bound(tmp_path: Path) -> None:
    """What does not end by itself is killed after the bound, and its client is told."""
    running = start_warehouse(tmp_path, arguments=("--drain-seconds", "1"))
    replies: list[Reply] = []
    work = threading.Thread(target=lambda: replies.append(ask(running, ENDLESS, query_id="works")))
    work.start()
    until_running(running, "works")
    started = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - started < DRAIN_S  # what it waits when it is told no bound
    work.join()
    assert replies[0].code == 394


@pytest.mark.parametrize("output_format", ["TSV", "JSON", "Parquet", "Native"])
def test_a_client_that_goes_away_ends_its_query(tmp_path: Path, output_format: str) -> None:
    """Streams, documents and pipes alike: the query is gone soon after its client."""
    import http.client

    from warehouse_http import credentials

    running = start_warehouse(tmp_path)
    try:
        for sql in (ENDLESS, "select number, toString(number) from numbers(100000000000)"):
            connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
            connection.request(
                "POST", f"/?query_id=left&default_format={output_format}", sql, credentials(running, "writer")
            )
            until_running(running, "left")
            connection.sock.close()
            until_running(running, "left", 0)
    finally:
        running.stop()


def test_a_full_queue_answers_503(tmp_path: Path) -> None:
    """Beyond the running and the waiting ones there is a refusal and no hanging."""
    running = start_warehouse(tmp_path, arguments=("--queued-max", "2", "--drain-seconds", "0"))
    replies: list[Reply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(ask(running, "select sleep(3)"))) for _ in range(9)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running.stop()
    codes = sorted(reply.status for reply in replies)
    assert codes == [200] * 5 + [503] * 4, [reply.body for reply in replies]
    assert {reply.code for reply in replies if reply.status == 503} == {202}


def test_a_stream_does_not_grow_the_server(tmp_path: Path) -> None:
    """Ten million rows go through memory that stays as it was."""
    import psutil

    running = start_warehouse(tmp_path)
    process = psutil.Process(running.process.pid)
    client = clickhouse_connect.get_client(dsn=running.url)
    client.query("select number from numbers(1000000)")
    before = process.memory_info().rss
    most = 0
    with client.raw_stream("select number, toString(number) from numbers(10000000)", fmt="Native") as stream:
        while stream.read(1 << 20):
            most = max(most, process.memory_info().rss)
    running.stop()
    assert most - before < 150 * 1024 * 1024
