"""The data directory: one owner at a time, its config file, and the engine version it was written by.

`engine/` is the engine's, `LOCK` names the owner, `ENGINE` the version, `backups/` is what SQL may write.
A second engine on the directory would only say `Error initializing EmbeddedServer: .`, hence our own lock.
"""

import fcntl
import os
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Final
from xml.sax.saxutils import escape

ENGINE_PACKAGE: Final = "chdb-core"
_DATA: Final = "engine"
_CONFIG: Final = """<clickhouse>
    <logger><level>none</level></logger>
    <query_log>
        <database>system</database>
        <table>query_log</table>
        <flush_interval_milliseconds>1000</flush_interval_milliseconds>
        <ttl>event_date + interval 7 day</ttl>
    </query_log>
    <max_server_memory_usage>{memory_bytes}</max_server_memory_usage>
    <backups><allowed_path>{backups}</allowed_path></backups>
</clickhouse>
"""


class DirectoryRefusedError(Exception):
    """The directory cannot be served; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A data directory that this process owns until it ends."""

    root: Path
    config_file: Path
    lock: IO[str]

    @property
    def data(self) -> Path:
        """Where the engine's files are."""
        return self.root / _DATA


def own(root: Path, config_dir: Path | None, memory_bytes: int) -> Directory:
    """Lock the directory, check its version, write its config file."""
    root = root.resolve()
    (root / "backups").mkdir(parents=True, exist_ok=True)
    lock = _lock(root / "LOCK")
    _check_version(root)
    config_file = (config_dir.resolve() if config_dir else root) / "chdb-config.xml"
    config_file.parent.mkdir(parents=True, exist_ok=True)
    config_file.write_text(_CONFIG.format(memory_bytes=memory_bytes, backups=escape(str(root / "backups"))))
    return Directory(root, config_file, lock)


def _lock(path: Path) -> IO[str]:
    handle = path.open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        pid = handle.read().strip() or "unknown"
        raise DirectoryRefusedError(
            f"{path.parent} is served already by process {pid}; one server per directory"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _check_version(root: Path) -> None:
    """Refuse an older engine; copy the data before a newer one touches them; record what runs now."""
    record = root / "ENGINE"
    current = version(ENGINE_PACKAGE)
    if record.exists():
        written = record.read_text().strip()
        if _parts(current) < _parts(written):
            raise DirectoryRefusedError(
                f"{root} was written by engine {written}, and this older one is {current}"
            )
        if _parts(current) > _parts(written):
            _copy_before_upgrade(root, written)
    temporary = record.with_suffix(".new")
    temporary.write_text(current + "\n")
    temporary.replace(record)


def _copy_before_upgrade(root: Path, written: str) -> None:
    """A whole copy beside the data; complete, or not there under its final name."""
    target = root / "backups" / f"before-upgrade-from-{written}"
    if target.exists() or not (root / _DATA).exists():
        return
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(root / _DATA, partial, symlinks=True)
    partial.replace(target)


def _parts(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
