"""Compares a warehouse with a journal, row for row, by way of the store in memory."""

from collections.abc import Sequence
from typing import Any

from fill_samples import RECEIVED

from adapters.clickhouse.client import Warehouse
from adapters.clickhouse.fill_store import ClickHouseFillStore
from adapters.memory.fill_store import MemoryFillStore
from trading.services.ingest_fills import SourceFile

TABLES = {
    "core.fill_revisions": "venue, account, session, fill_id, revision, source, content_hash, quantity, price, raw",
    "core.commission_facts": "venue, account, session, commission_key, source, content_hash, fill_id, amount",
    "core.statement_positions": "venue, account, report_date, statement_id, row_key, instrument_id, quantity",
    "core.broker_statements": "venue, account, to_date, statement_id, sha256, sections",
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
            found.append(
                f"{account}: {len(ours)} fills of {len(theirs)}, {sum(a != b for a, b in zip(ours, theirs))} differ"
            )
    kept = warehouse.rows("select distinct fill_id, content_hash from core.fill_revisions")
    stored = {(row["fill_id"], row["content_hash"]) for row in kept}
    found += [f"lost {key}" for key in sorted(set(revisions) - stored)[:5]]
    found += [f"made up {key}" for key in sorted(stored - set(revisions))[:5]]
    statements = warehouse.value("select uniqExact(statement_id) from core.broker_statements")
    if statements != sum(len(file.statements) for file in files):
        found.append(f"{statements} statements")
    return found


def fingerprint(warehouse: Warehouse) -> dict[str, Any]:
    """One hash per table over its distinct rows, whatever their order: all columns but those of the arrival."""
    return {
        table: warehouse.value(
            f"select (count(), groupBitXor(cityHash64(*))) from (select distinct {columns} from {table})"
        )
        for table, columns in TABLES.items()
    }
