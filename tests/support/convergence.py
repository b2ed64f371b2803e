"""Compares a warehouse with a journal, row for row, by way of the store in memory."""

from collections.abc import Sequence
from typing import Any

from fill_samples import RECEIVED

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.clickhouse.statement_rows import SECTIONS
from adapters.memory.fill_store import MemoryFillStore
from trading.services.ingest_fills import SourceFile

STATEMENT_TABLES = tuple(section.table for section in SECTIONS)
TABLES = {
    "core.fill_revisions": "* except (received_at, ingested_at, batch_id)",
    "core.commission_facts": "* except (received_at, ingested_at, batch_id)",
    **dict.fromkeys(STATEMENT_TABLES, "* except (ingested_at)"),
    "core.broker_statements": "* except (received_at, ingested_at)",
    "core.coverage": "* except (ingested_at, batch_id)",
}


def differences(warehouse: Warehouse, files: Sequence[SourceFile]) -> list[str]:
    """What the warehouse has and the journal has not, and the other way; empty when they are equal."""
    store, truth = ClickHouseFillStore(warehouse), MemoryFillStore()
    revisions = {}
    for file in files:
        for batch in file.all_batches:
            truth.record(batch, RECEIVED)
            revisions |= {(told.fill_id, told.content_hash): told for told in batch.fills}
    found = []
    for venue, account in truth.accounts():
        sessions = sorted({told.session for told in revisions.values()})
        ours, theirs = (list(each.fills(venue, account, sessions)) for each in (store, truth))
        if ours != theirs:
            differing = sum(a != b for a, b in zip(ours, theirs, strict=False))
            found.append(f"{account}: {len(ours)} fills of {len(theirs)}, {differing} differ")
    kept = warehouse.rows("select distinct fill_id, content_hash from core.fill_revisions")
    stored = {(row["fill_id"], row["content_hash"]) for row in kept}
    found += [f"lost {key}" for key in sorted(set(revisions) - stored)[:5]]
    found += [f"made up {key}" for key in sorted(stored - set(revisions))[:5]]
    statements = warehouse.value("select uniqExact(statement_id) from core.broker_statements")
    if statements != sum(len(file.statements) for file in files):
        found.append(f"{statements} statements")
    return found


def fingerprint(warehouse: Warehouse) -> dict[str, Any]:
    """One hash per table over its distinct rows, in any order: all columns but those of the arrival."""
    hashed = "select (count(), groupBitXor(cityHash64(toString(tuple(*))))) from (select distinct {} from {})"
    return {table: warehouse.value(hashed.format(columns, table)) for table, columns in TABLES.items()}
