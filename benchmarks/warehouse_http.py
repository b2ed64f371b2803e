"""The HTTP path of the embedded warehouse against the engine called directly, in one run.

Both sides run in a process and on a directory of their own: the server, and this file with `--engine`.
Rounds alternate between the two, so that load of the machine falls on both; medians are printed.

    python benchmarks/warehouse_http.py [--rows 1000000] [--rounds 5]
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from embedded_warehouse import RunningWarehouse, start_warehouse  # noqa: E402

COLUMNS = """
    seq UInt64, ts DateTime64(6, 'UTC'), symbol LowCardinality(String), strike Decimal(18, 3),
    right Enum8('C' = 1, 'P' = 2), bid Float64, ask Float64, bid_size UInt32, ask_size UInt32, iv Float64,
    delta Float64, venue LowCardinality(String)
"""
CREATE = f"create table if not exists quotes ({COLUMNS}) engine MergeTree order by (symbol, ts)"
GENERATE = """
select
    number as seq, toDateTime64('2026-08-21 13:30:00', 6, 'UTC') + number / 1000 as ts,
    concat('SPXW', toString(number % 50)) as symbol, toDecimal64(4000 + number % 400 * 5, 3) as strike,
    if(number % 2, 'C', 'P') as right, rand() / 1e8 as bid, bid + 0.05 as ask, rand(1) % 500 as bid_size,
    rand(2) % 500 as ask_size, rand(3) / 4294967295 as iv, rand(4) / 4294967295 as delta, 'OPRA' as venue
from numbers({rows})
"""
SCAN = """
select toStartOfMinute(ts) as m, symbol, quantile(0.5)(bid), sum(ask_size)
from quotes group by m, symbol order by m, symbol limit 10
"""
SWITCH_INTERVAL_S = 0.0005  # of both sides: sixteen threads at Python's 5 ms wait for each other
CLIENTS = 16
ONE_QUERIES = 400
CROWD_QUERIES = 60
SCANS = 9


class Http:
    """The server's side: one keep-alive connection per thread."""

    def __init__(self, warehouse: RunningWarehouse) -> None:
        self._warehouse = warehouse
        token = b64encode(f"writer:{warehouse.writer_password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"}
        self._local = threading.local()

    def run(self, body: bytes) -> bytes:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(
                "127.0.0.1", self._warehouse.port
            )
        connection.request("POST", "/", body, self._headers)
        response = connection.getresponse()
        data: bytes = response.read()
        if response.status != 200:
            raise RuntimeError(data[:300])
        return data

    def insert(self, native: bytes) -> None:
        self.run(b"insert into quotes format Native\n" + native)


class Direct:
    """The engine's side: a fresh connection per query, as the server has it."""

    def __init__(self, directory: Path) -> None:
        from chdb import _chdb

        config = directory / "config.xml"
        config.write_text("<clickhouse><logger><level>none</level></logger></clickhouse>")
        library: Any = _chdb
        self._connect: Callable[[], Any] = lambda: library.connect(f"{directory}/engine?config-file={config}")
        self._kept = self._connect()

    def run(self, body: bytes) -> bytes:
        connection = self._connect()
        try:
            data: bytes = connection.query(body, "TabSeparated").bytes()
            return data
        finally:
            connection.close()

    def insert(self, native: bytes) -> None:
        connection = self._connect()
        handle = connection.send_insert("insert into quotes", "Native")
        connection.insert_append(handle, native)
        connection.insert_done(handle)
        connection.close()


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def one(side: Http | Direct) -> float:
    """Median milliseconds of `select 1` by one client."""
    return statistics.median(seconds(lambda: side.run(b"select 1")) for _ in range(ONE_QUERIES)) * 1e3


def crowd(side: Http | Direct) -> float:
    """95th percentile in milliseconds of `select 1` by sixteen clients at once."""
    times: list[float] = []

    def client() -> None:
        times.extend(seconds(lambda: side.run(b"select 1")) for _ in range(CROWD_QUERIES))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.quantiles(times, n=20)[18] * 1e3


def measure(side: Http | Direct, native: bytes, rows: int) -> dict[str, float]:
    """One round: insert into an empty table, scan it, then the small queries."""
    side.run(b"truncate table if exists quotes")
    side.run(CREATE.encode())
    figures = {"insert_s": seconds(lambda: side.insert(native))}
    if int(side.run(b"select count() from quotes")) != rows:
        raise RuntimeError("rows are missing")
    side.run(SCAN.encode())
    figures["scan_s"] = statistics.median(seconds(lambda: side.run(SCAN.encode())) for _ in range(SCANS))
    return figures | {"one_ms": one(side), "crowd_p95_ms": crowd(side)}


def serve_engine(rows: int) -> None:
    """The other process: a round for every line on stdin."""
    with tempfile.TemporaryDirectory() as directory:
        side = Direct(Path(directory))
        native = side._kept.query(GENERATE.format(rows=rows), "Native").bytes()
        print("ready", flush=True)
        for _ in sys.stdin:
            print(json.dumps(measure(side, native, rows)), flush=True)


def compare(rows: int, rounds: int) -> dict[str, dict[str, float]]:
    """Alternate rounds; medians of both sides."""
    command = [sys.executable, __file__, "--engine", "--rows", str(rows)]
    engine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert engine.stdin is not None
    assert engine.stdout is not None
    with tempfile.TemporaryDirectory() as directory:
        warehouse = start_warehouse(Path(directory))
        side = Http(warehouse)
        native = side.run(GENERATE.format(rows=rows).encode() + b" format Native")
        engine.stdout.readline()
        found: dict[str, list[dict[str, float]]] = {"http": [], "direct": []}
        for _ in range(rounds):
            found["http"].append(measure(side, native, rows))
            engine.stdin.write("round\n")
            engine.stdin.flush()
            found["direct"].append(json.loads(engine.stdout.readline()))
        warehouse.stop()
    engine.stdin.close()
    engine.wait()
    return {name: {k: statistics.median(r[k] for r in runs) for k in runs[0]} for name, runs in found.items()}


def report(figures: dict[str, dict[str, float]], rows: int) -> None:
    over, direct = figures["http"], figures["direct"]
    insert, scan = (direct[name] / over[name] for name in ("insert_s", "scan_s"))
    one_query, many = (over[name] / direct[name] for name in ("one_ms", "crowd_p95_ms"))
    lines = [
        ("insert, rows/s", rows / over["insert_s"], rows / direct["insert_s"], insert, ">= 0.6"),
        ("scan, s", over["scan_s"], direct["scan_s"], scan, ">= 0.9"),
        ("select 1 p50, ms", over["one_ms"], direct["one_ms"], one_query, "http <= 1.4 ms"),
        ("16 clients p95, ms", over["crowd_p95_ms"], direct["crowd_p95_ms"], many, "<= 1.3"),
    ]
    print(f"{'':22}{'http':>12}{'direct':>12}{'ratio':>8}  aim")
    for name, a, b, ratio, aim in lines:
        print(f"{name:22}{a:12,.3f}{b:12,.3f}{ratio:8.2f}  {aim}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    if options.engine:
        serve_engine(options.rows)
    else:
        report(compare(options.rows, options.rounds), options.rows)


if __name__ == "__main__":
    main()
