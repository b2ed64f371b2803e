"""A real embedded warehouse for tests: a process of its own on a free port, in a directory the test gives.

`start_warehouse(tmp_path)` waits until it listens; `stop()` ends it in good order, `kill()` with SIGKILL.
`start_migrated_warehouse(tmp_path)` begins on a copy of a folder that was migrated once in this process.
"""

import atexit
import functools
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.migrator import migrate

READY_S = 120.0
STOP_S = 90.0
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class RunningWarehouse:
    """A server and how to reach it; `url` is the writer's, `reader_url` the reader's."""

    directory: Path
    port: int
    writer_password: str
    reader_password: str
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """`http://writer:PASSWORD@127.0.0.1:PORT`."""
        return f"http://writer:{self.writer_password}@127.0.0.1:{self.port}"

    @property
    def reader_url(self) -> str:
        """`http://reader:PASSWORD@127.0.0.1:PORT`."""
        return f"http://reader:{self.reader_password}@127.0.0.1:{self.port}"

    def stop(self) -> int:
        """SIGTERM, and wait; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self._ended()

    def kill(self) -> int:
        """SIGKILL, and wait; its exit code."""
        self.process.kill()
        return self._ended()

    def restarted(self) -> "RunningWarehouse":
        """A new server on the same directory, at the same address; this one must have ended."""
        return start_warehouse(
            self.directory,
            port=self.port,
            writer_password=self.writer_password,
            reader_password=self.reader_password,
        )

    def _ended(self) -> int:
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(STOP_S)


def start_warehouse(
    directory: Path,
    *,
    port: int = 0,
    writer_password: str | None = None,
    reader_password: str | None = None,
    arguments: tuple[str, ...] = (),
) -> RunningWarehouse:
    """Start a server on `directory`; raises with its own words where it does not start."""
    writer = writer_password or secrets.token_hex(12)
    reader = reader_password or secrets.token_hex(12)
    environment = {**os.environ, "WAREHOUSE_WRITER_PASSWORD": writer, "WAREHOUSE_READER_PASSWORD": reader}
    command = [
        sys.executable,
        "-m",
        "warehouse_server",
        "--directory",
        str(directory),
        "--port",
        str(port),
        *arguments,
    ]
    directory.mkdir(parents=True, exist_ok=True)
    errors = (directory / "stderr.txt").open("a+")
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
    )
    ready = _first_line(process)
    if not ready.startswith("ready "):
        process.kill()
        process.wait()
        errors.seek(0)
        raise RuntimeError(f"the warehouse did not start: {ready!r} {errors.read()[-2000:]}")
    errors.close()
    return RunningWarehouse(directory, int(ready.strip().rpartition(":")[2]), writer, reader, process)


def start_migrated_warehouse(directory: Path, *, port: int = 0) -> RunningWarehouse:
    """Start a server on `directory` that has its schema: every migration applied, every table empty."""
    shutil.copytree(_migrated_folder(), directory, symlinks=True, dirs_exist_ok=True)
    return start_warehouse(directory, port=port)


@functools.cache
def _migrated_folder() -> Path:
    """What a migrated server leaves that was stopped in order; made at the first call, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="migrated-warehouse-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    running = start_warehouse(folder)
    client = Warehouse(running.url)
    migrate(client)
    client.close()
    code = running.stop()
    assert code == 0, f"the migrated warehouse ended with {code}"
    return folder


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            return process.stdout.readline()
        if process.poll() is not None:
            return process.stdout.readline()
    return ""
