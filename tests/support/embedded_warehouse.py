"""A real embedded warehouse for tests: a process of its own on a free port, in a directory the test gives.

`start_warehouse(tmp_path)` waits until it listens; `stop()` ends it in good order, `kill()` with SIGKILL.
"""

import os
import secrets
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

READY_S = 60.0
STOP_S = 40.0
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


def _first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            return process.stdout.readline()
        if process.poll() is not None:
            return process.stdout.readline()
    return ""
