"""From arguments to a running server, and from a signal to its end; alone here to read the environment."""

import argparse
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from warehouse_server.accounts import Accounts
from warehouse_server.admission import Admission
from warehouse_server.directory import Directory, DirectoryRefusedError, own
from warehouse_server.engine import Engine, EngineFailedError
from warehouse_server.execution import Executor
from warehouse_server.limits import DRAIN_S, FLUSH_S, GIB, KILLED_DRAIN_S, QUEUED_MAX, RUNNING_MAX
from warehouse_server.running import DisconnectWatcher, RunningQueries
from warehouse_server.server import Server, bind
from warehouse_server.sessions import Sessions

REFUSED: Final = 2
_SWITCH_INTERVAL_S: Final = 0.0005  # p95 of sixteen clients: 18 ms with Python's 5 ms, 14 ms with this
_MEMORY_SHARE: Final = 0.6
_WRITER: Final = "WAREHOUSE_WRITER_PASSWORD"
_READER: Final = "WAREHOUSE_READER_PASSWORD"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 0, or 2 with a sentence on stderr where it cannot start."""
    options = _parse(arguments)
    accounts = _accounts()
    if accounts is None:
        return _refused(f"expected passwords in {_WRITER} and {_READER}, both set and not equal")
    try:
        sock = bind(options.port)
    except OSError as error:
        return _refused(f"port {options.port} on 127.0.0.1 is not free: {error.strerror}")
    try:
        directory = own(options.directory, options.config_dir, options.memory_bytes or _default_memory())
    except DirectoryRefusedError as error:
        return _refused(str(error))
    return _serve(sock, directory, accounts, options)


def _serve(sock: socket.socket, directory: Directory, accounts: Accounts, options: argparse.Namespace) -> int:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        executor = _open(directory, Admission(options.running_max, options.queued_max))
    except EngineFailedError as error:
        return _refused(str(error))
    server = Server(sock, accounts, executor)
    server.start()
    _announce(server.port, options.ready_file)
    stopping.wait()
    _end(server, executor, options.drain_seconds)
    os._exit(0)


def _end(server: Server, executor: Executor, drain_s: float) -> None:
    """Let running queries finish, kill those that take too long, write out logs: each within a bound."""
    server.stop()
    if not server.wait_until_idle(drain_s):
        executor.running.stop_all()
        server.wait_until_idle(KILLED_DRAIN_S)
    flush = threading.Thread(target=executor.engine.flush, daemon=True, name="flush")
    flush.start()
    flush.join(FLUSH_S)


def _open(directory: Directory, admission: Admission) -> Executor:
    engine = Engine(directory.data, directory.config_file)
    running = RunningQueries(engine.kill)
    return Executor(
        engine,
        admission,
        Sessions(engine.session),
        running,
        DisconnectWatcher(running.stop),
    )


def _announce(port: int, ready_file: Path | None) -> None:
    if ready_file is not None:
        temporary = ready_file.with_name(ready_file.name + ".new")
        temporary.write_text(f"{port}\n")
        temporary.replace(ready_file)
    print(f"ready http://127.0.0.1:{port}", flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m warehouse_server", description="ClickHouse over HTTP on chDB."
    )
    parser.add_argument("--directory", type=Path, required=True, help="data directory, made where missing")
    parser.add_argument("--port", type=int, default=8123, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--config-dir", type=Path, help="where the engine's config file is written (default: DIR)"
    )
    parser.add_argument("--ready-file", type=Path, help="written with the port once it listens")
    parser.add_argument(
        "--memory-bytes", type=int, help="the engine's memory limit (default: 60 %% of the machine)"
    )
    parser.add_argument(
        "--drain-seconds", type=float, default=DRAIN_S, help="SIGTERM waits this long for queries"
    )
    parser.add_argument("--running-max", type=int, default=RUNNING_MAX, help="queries at once")
    parser.add_argument(
        "--queued-max", type=int, default=QUEUED_MAX, help="queries that wait; beyond it: 503"
    )
    return parser.parse_args(arguments)


def _accounts() -> Accounts | None:
    writer, reader = os.environ.get(_WRITER, ""), os.environ.get(_READER, "")
    return Accounts(writer, reader) if writer and reader and writer != reader else None


def _default_memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1 * GIB, int(total * _MEMORY_SHARE))


def _refused(reason: str) -> int:
    print(f"warehouse_server: {reason}", file=sys.stderr, flush=True)
    return REFUSED
