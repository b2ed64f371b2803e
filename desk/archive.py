"""The warehouse as one file: the engine's own backup and a manifest of row counts, in a tar.

What goes wrong without the manifest: a restore that silently lacks rows. Rows are counted before and after
the backup, because writers go on meanwhile; a restored table must hold a number in between. Only the
embedded warehouse writes to a folder of this machine; a real server has backups of its own.
"""

import json
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.clickhouse.client import Warehouse
from desk.answers import Advance
from desk.stack.control import current_state
from desk.stack.layout import PRIVATE_FILE_MODE, StackLayout
from desk.stack.warehouse import NAME as WAREHOUSE
from trading.errors import ConfigurationError, InvalidFieldError

ENGINE_FILE = "warehouse.tar.gz"
MANIFEST = "manifest.json"
MANIFEST_BYTES_MAX = 4 * 1024 * 1024
NOT_OURS = ("system", "INFORMATION_SCHEMA", "information_schema", "default")
ANSWER_NOTE = "Use that server's own BACKUP and RESTORE."

_TABLES = """
select database, name, engine
from system.tables
where database not in {not_ours:Array(String)} and engine like '%MergeTree' and not is_temporary
order by database, name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeArchive:
    """What was written."""

    file: Path
    bytes: int
    databases: tuple[str, ...]
    tables: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredArchive:
    """What came back; `differences` names tables whose rows are not those of the manifest."""

    databases: tuple[str, ...]
    tables: int
    rows: int
    differences: tuple[str, ...]


def make_archive(warehouse: Warehouse, layout: StackLayout, now: datetime, advance: Advance) -> MadeArchive:
    """Back the embedded warehouse up into a new file under the backups folder."""
    _require_embedded(layout)
    databases = _databases(warehouse)
    if not databases:
        raise ConfigurationError("warehouse: nothing to back up; run `desk migrate` first")
    stamp = now.strftime("%Y%m%dT%H%M%S_%fZ")
    engine_file = layout.warehouse / "backups" / f"{stamp}.tar.gz"
    advance("counting rows", 0, 3)
    before = _counts(warehouse)
    advance("backing up", 1, 3)
    warehouse.command(f"backup {_named(databases)} to File('{engine_file.name}')")
    after = _counts(warehouse)
    advance("packing", 2, 3)
    manifest = {"made_at": now.isoformat(), "databases": databases, "before": before, "after": after}
    target = layout.backups / f"{stamp}.tar"
    _pack(target, engine_file, manifest)
    engine_file.unlink()
    return MadeArchive(
        file=target,
        bytes=target.stat().st_size,
        databases=tuple(databases),
        tables=len(after),
        rows=sum(after.values()),
    )


def restore_archive(
    warehouse: Warehouse, layout: StackLayout, file: Path, replace: bool, advance: Advance
) -> RestoredArchive:
    """Restore an archive; with `replace` the databases that it holds are dropped first, else they must be
    absent.
    """
    _require_embedded(layout)
    engine_file = layout.warehouse / "backups" / f"restore-{file.stem}.tar.gz"
    manifest = _unpack(file, engine_file)
    databases = [str(name) for name in manifest["databases"]]
    present = sorted(set(databases) & set(_databases(warehouse)))
    try:
        if present and not replace:
            raise ConfigurationError(
                f"databases {', '.join(present)} are there already; --replace drops them first"
            )
        advance("restoring", 1, 3)
        for name in present:
            warehouse.command(f"drop database `{name}` sync")
        warehouse.command(f"restore {_named(databases)} from File('{engine_file.name}')")
    finally:
        engine_file.unlink(missing_ok=True)
    advance("counting rows", 2, 3)
    found = _counts(warehouse)
    return RestoredArchive(
        databases=tuple(databases),
        tables=len(found),
        rows=sum(found.values()),
        differences=tuple(_differences(manifest, found)),
    )


def _require_embedded(layout: StackLayout) -> None:
    state = current_state(layout)
    if state is None:
        raise ConfigurationError("the stack is not up; start it with `desk up`")
    if WAREHOUSE in state.external:
        raise ConfigurationError(f"warehouse: CLICKHOUSE_URL names a server of its own. {ANSWER_NOTE}")


def _databases(warehouse: Warehouse) -> list[str]:
    rows = warehouse.rows(
        "select name from system.databases where name not in {not_ours:Array(String)} order by name",
        {"not_ours": list(NOT_OURS)},
    )
    return [row["name"] for row in rows]


def _counts(warehouse: Warehouse) -> dict[str, int]:
    tables = warehouse.rows(_TABLES, {"not_ours": list(NOT_OURS)})
    names = [(row["database"], row["name"]) for row in tables]
    return {
        f"{database}.{name}": int(warehouse.value(f"select count() from `{database}`.`{name}`"))
        for database, name in names
    }


def _named(databases: Sequence[str]) -> str:
    return ", ".join(f"database `{name}`" for name in databases)


def _pack(target: Path, engine_file: Path, manifest: Mapping[str, Any]) -> None:
    part = target.with_name(f".{target.name}.part")
    note = part.with_suffix(".json")
    note.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    try:
        with tarfile.open(part, "w") as archive:
            archive.add(note, MANIFEST)
            archive.add(engine_file, ENGINE_FILE)
        part.chmod(PRIVATE_FILE_MODE)
        part.replace(target)
    finally:
        note.unlink()
        part.unlink(missing_ok=True)


def _unpack(file: Path, engine_file: Path) -> Mapping[str, Any]:
    """Read the manifest and put the engine's file where the server may read it; names in the tar are not
    used.
    """
    try:
        with tarfile.open(file, "r") as archive:
            note, data = archive.extractfile(MANIFEST), archive.extractfile(ENGINE_FILE)
            if note is None or data is None:
                raise InvalidFieldError("archive", f"files {MANIFEST} and {ENGINE_FILE}", file.name)
            manifest = json.loads(note.read(MANIFEST_BYTES_MAX))
            with engine_file.open("wb") as target:
                shutil.copyfileobj(data, target)
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise InvalidFieldError("archive", "a file that `desk backup` wrote", f"{file}: {error}") from error
    if not isinstance(manifest, dict) or not {"databases", "before", "after"} <= manifest.keys():
        raise InvalidFieldError("archive", "a manifest of `desk backup`", file.name)
    return manifest


def _differences(manifest: Mapping[str, Any], found: Mapping[str, int]) -> list[str]:
    lines = []
    for table, after in manifest["after"].items():
        before = manifest["before"].get(table, after)
        count = found.get(table)
        if count is None or not min(before, after) <= count <= max(before, after):
            lines.append(f"{table}: expected {before} to {after} rows, was {count}")
    return lines
