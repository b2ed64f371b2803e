"""Brings a warehouse to the schema of `sql/migrations`: forward only, under a lock, each file once.

Every statement is idempotent, so a migration that was killed half-way is run again from its start. A
file that was applied and has changed since is an error that names it. Knows what the server cannot do
and says what it left out. The order of files is their numbers; what is in them is the business of `sql`.
"""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sql
from adapters.clickhouse.client import Warehouse
from trading.errors import WarehouseError, WarehouseUnavailableError

logger = logging.getLogger(__name__)

LOCK_WAIT_S = 60.0
LOCK_POLL_S = 0.2
LOCK_STALE_S = 600  # no migration takes longer; a lock this old was left by a killed process
BOOKKEEPING = (
    "create database if not exists core",
    """create table if not exists core.schema_migrations
(
    name String,
    checksum String,
    applied_at DateTime64(6, 'UTC') default now64(6, 'UTC')
)
engine = ReplacingMergeTree
order by name
settings non_replicated_deduplication_window = 100""",
)
LOCK_TABLE = "core.schema_migrations_lock"
REPLICATED = re.compile(r"(?<=engine = )((?:\w*)MergeTree)", re.IGNORECASE)
CREATED = re.compile(
    r"^((?:create (?:or replace )?(?:database|table|view|materialized view)(?: if not exists)?"
    r"|alter table) [\w.]+)",
    re.IGNORECASE,
)
STATEMENT_PARTS = re.compile(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|;", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What was done: names applied now, names that were there, and what this server cannot hold."""

    applied: tuple[str, ...]
    present: tuple[str, ...]
    left_out: tuple[str, ...]


def migrate(warehouse: Warehouse, *, cluster: str | None = None) -> MigrationReport:
    """Apply what is missing and return what was done; raises WarehouseError naming a changed file."""
    for statement in BOOKKEEPING:
        warehouse.command(on_cluster(statement, cluster))
    _lock(warehouse)
    try:
        return _migrate_locked(warehouse, cluster)
    finally:
        warehouse.command(f"drop table if exists {LOCK_TABLE} sync")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaGap:
    """What keeps the code and the warehouse apart, with both numbers; nothing where both lists are empty."""

    missing: tuple[str, ...]  # of this code, not applied
    unknown: tuple[str, ...]  # applied, and not of this code: a newer version's
    here: str
    there: str

    def __str__(self) -> str:
        both = f"this code's schema is {self.here}, the warehouse's is {self.there}"
        if self.unknown:
            return f"{both}: a newer version migrated it; run that version"
        return f"{both}: {len(self.missing)} migrations are not applied, the first is {self.missing[0]}"


def schema_gap(warehouse: Warehouse) -> SchemaGap | None:
    """What this code and the warehouse do not have in common; None where the schema is this code's."""
    known = _applied(warehouse) if _has_bookkeeping(warehouse) else {}
    names = [script.name for script in sql.migrations()]
    missing = tuple(name for name in names if name not in known)
    unknown = tuple(sorted(set(known) - set(names)))
    if not missing and not unknown:
        return None
    there = max(known, default="empty")
    return SchemaGap(missing=missing, unknown=unknown, here=max(names), there=there)


def statements(text: str) -> Iterator[str]:
    """Split a script at its semicolons; those in strings and comments do not count."""
    start = 0
    for part in STATEMENT_PARTS.finditer(text):
        if part.group() == ";":
            yield from _worded(text[start : part.start()])
            start = part.end()
    yield from _worded(text[start:])


def on_cluster(statement: str, cluster: str | None) -> str:
    """Return the statement for a cluster: `on cluster`, and replicated engines; unchanged without one."""
    if cluster is None:
        return statement
    if not re.fullmatch(r"\w+", cluster):
        raise WarehouseError(f"cluster: expected a name of letters, digits and underscores, was {cluster!r}")
    bare = re.sub(r"\A(?:\s*--[^\n]*\n)*\s*", "", statement)
    created = CREATED.sub(rf"\1 on cluster {cluster}", bare)
    replicated = REPLICATED.sub(r"Replicated\1", created)
    return replicated.replace("non_replicated_deduplication_window", "replicated_deduplication_window")


def _migrate_locked(warehouse: Warehouse, cluster: str | None) -> MigrationReport:
    known = _applied(warehouse)
    _refuse_changed(known)
    applied = []
    for script in sql.migrations():
        if script.name not in known:
            _apply(warehouse, script, cluster)
            applied.append(script.name)
    present = tuple(script.name for script in sql.migrations() if script.name in known)
    return MigrationReport(applied=tuple(applied), present=present, left_out=_access(warehouse, cluster))


def _apply(warehouse: Warehouse, script: sql.Script, cluster: str | None) -> None:
    for statement in statements(script.text):
        try:
            warehouse.command(on_cluster(statement, cluster))
        except WarehouseError as cause:
            raise WarehouseError(f"migration {script.name}: {cause}") from cause
    row = (script.name, script.checksum)
    warehouse.insert("core.schema_migrations", ("name", "checksum"), [row], token=f"migration-{script.name}")
    logger.info("migration_applied name=%s", script.name)


def _applied(warehouse: Warehouse) -> Mapping[str, str]:
    found = warehouse.rows("select name, checksum from core.schema_migrations final")
    return {row["name"]: row["checksum"] for row in found}


def _has_bookkeeping(warehouse: Warehouse) -> bool:
    asked = "select count() from system.tables where database = 'core' and name = 'schema_migrations'"
    return bool(warehouse.value(asked))


def _refuse_changed(known: Mapping[str, str]) -> None:
    for script in sql.migrations():
        if known.get(script.name, script.checksum) != script.checksum:
            raise WarehouseError(
                f"migration {script.name}.sql: expected the text that was applied "
                f"(checksum {known[script.name][:12]}), "
                f"was {script.checksum[:12]}; migrations only go forward, write a new file"
            )
    names = {script.name for script in sql.migrations()}
    newer = sorted(set(known) - names)
    if newer:
        raise WarehouseError(
            f"migration {newer[-1]}: applied by a newer version of this project, which this one cannot serve"
        )


def _lock(warehouse: Warehouse) -> None:
    """Create the lock table, which only one can; an old lock was left by a killed process."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while time.monotonic() < deadline:
        try:
            warehouse.command(f"create table {LOCK_TABLE} (held Bool) engine = MergeTree order by held")
            return
        except WarehouseError as error:
            if "already exists" not in str(error).lower() and "TABLE_ALREADY_EXISTS" not in str(error):
                raise
        _drop_stale_lock(warehouse)
        time.sleep(LOCK_POLL_S)
    raise WarehouseUnavailableError(
        f"{LOCK_TABLE}: held by another process for more than {LOCK_WAIT_S:.0f} s"
    )


def _drop_stale_lock(warehouse: Warehouse) -> None:
    asked = (
        "select count() from system.tables where database = 'core' and name = 'schema_migrations_lock' "
        "and dateDiff('second', metadata_modification_time, now()) > {stale_s:UInt32}"
    )
    if warehouse.value(asked, {"stale_s": LOCK_STALE_S}):
        logger.warning("migration_lock_stale table=%s", LOCK_TABLE)
        warehouse.command(f"drop table if exists {LOCK_TABLE} sync")


def _access(warehouse: Warehouse, cluster: str | None) -> tuple[str, ...]:
    """Apply roles and quotas where the server keeps accounts; say what was left out where it does not."""
    left_out = ["Distributed tables: shards are named by the cluster's own configuration"] if cluster else []
    keeps_accounts = warehouse.value(
        "select count() from system.user_directories "
        "where replaceAll(type, ' ', '_') in ('local_directory', 'replicated')"
    )
    if not keeps_accounts:
        return (
            *left_out,
            *(f"access/{rule.name}: this server keeps no accounts" for rule in sql.access_rules()),
        )
    for rule in sql.access_rules():
        for statement in statements(rule.text):
            warehouse.command(statement)
    return tuple(left_out)


def _worded(text: str) -> Iterator[str]:
    if re.sub(r"--[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL).strip():
        yield text.strip()
