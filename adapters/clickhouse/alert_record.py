"""Alerts in the warehouse: audit.alert_entries, and audit.alerts, where each alert is one row."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

import sql
from adapters.clickhouse.batch_audit import stored_text
from adapters.clickhouse.client import Warehouse
from trading.model.alerts import AlertKind, definition_of
from trading.ports.alerts import READ_MAX, AlertEntry, AlertLevel, AlertRecord, RaisedAlert

TABLE = "audit.alert_entries"
COLUMNS = (
    "identity",
    "word",
    "level",
    "code",
    "text",
    "component",
    "at",
    "market_at",
    "stream",
    "entry_ms",
    "entry_seq",
    "kind",
)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class ClickHouseAlertRecord(AlertRecord):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(self, entries: Sequence[AlertEntry]) -> None:
        """Insert in one statement; a word that is told again is the same row by its key."""
        names = "\x1f".join(f"{entry.stream} {entry.entry_id} {entry.identity}" for entry in entries)
        token = f"alerts-{sha1(stored_text(names).encode(), usedforsecurity=False).hexdigest()}"
        self._warehouse.insert(TABLE, COLUMNS, [_cells(entry) for entry in entries], token)

    def newest(self, since: datetime | None, most: int) -> Sequence[RaisedAlert]:
        """Read the view."""
        asked = {"since": since or BEGINNING, "most": min(most, READ_MAX)}
        return _alerts(self._warehouse.rows(sql.query("alerts_newest"), asked))

    def open(self, most: int) -> Sequence[RaisedAlert]:
        """Likewise."""
        return _alerts(self._warehouse.rows(sql.query("alerts_open"), {"most": most}))


def _alerts(rows: Sequence[Mapping[str, Any]]) -> Sequence[RaisedAlert]:
    kinds = {each.value: each for each in AlertKind}
    return [
        RaisedAlert(
            **{
                **row,
                "level": AlertLevel(row["level"]),
                "kind": kinds.get(row["kind"]) or definition_of(row["code"]).kind,
            }
        )
        for row in reversed(rows)
    ]


def _cells(entry: AlertEntry) -> tuple[object, ...]:
    entry_ms, _, entry_seq = entry.entry_id.partition("-")
    return (
        stored_text(entry.identity),
        str(entry.word),
        "" if entry.level is None else str(entry.level),
        stored_text(entry.code),
        stored_text(entry.text),
        stored_text(entry.component),
        entry.at,
        entry.market_at,
        entry.stream,
        int(entry_ms),
        int(entry_seq),
        "" if entry.level is None else str(entry.kind),
    )
