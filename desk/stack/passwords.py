"""The passwords of the stack's own services: made once, kept in `secrets.env` with mode 0600."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from adapters.configuration.environment import read_environment_file
from desk.stack.layout import PRIVATE_FILE_MODE
from trading.errors import ConfigurationError

PASSWORD_BYTES = 24  # 192 random bits
NAMES = ("WAREHOUSE_WRITER_PASSWORD", "WAREHOUSE_READER_PASSWORD", "REDIS_PASSWORD", "REDIS_ADMIN_PASSWORD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passwords:
    """One password per account."""

    warehouse_writer: str = field(repr=False)
    warehouse_reader: str = field(repr=False)
    redis: str = field(repr=False)
    redis_admin: str = field(repr=False)


def load_or_make_passwords(path: Path) -> Passwords:
    """Read the passwords; where there are none yet, make them. Only the owner may read the file."""
    if not path.exists():
        _write_new(path)
    path.chmod(PRIVATE_FILE_MODE)
    values = read_environment_file(path)
    missing = [name for name in NAMES if not values.get(name)]
    if missing:
        raise ConfigurationError(f"{path}: {', '.join(missing)} missing; add them or remove the file")
    return Passwords(
        warehouse_writer=values["WAREHOUSE_WRITER_PASSWORD"],
        warehouse_reader=values["WAREHOUSE_READER_PASSWORD"],
        redis=values["REDIS_PASSWORD"],
        redis_admin=values["REDIS_ADMIN_PASSWORD"],
    )


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody else can read it at any moment."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE_MODE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _write_new(path: Path) -> None:
    lines = ["# Made once by `desk up`. Keep private; the data directories know these passwords."]
    lines += [f"{name}={secrets.token_urlsafe(PASSWORD_BYTES)}" for name in NAMES]
    write_private(path, "\n".join(lines) + "\n")
