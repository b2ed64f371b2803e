"""Drained entries in ClickHouse: one table, one insert per batch; everything that is read is a view on it.

What can lose money here: an insert of which a part is missing (the client compares), and a repeat that
counts twice (the key is the stream's id, and the views read each once, whatever lies there physically).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

import orjson

import sql
from adapters.clickhouse.batch_audit import PAYLOAD_CHARS_MAX, REJECTED_COLUMNS, stored_text
from adapters.clickhouse.broker_rows import figure_of, held_of, order_state_of
from adapters.clickhouse.client import Warehouse
from trading.errors import InvalidFieldError
from trading.model.broker import WORKING_STATUSES, OutboxEntry
from trading.model.fills import Source, Venue
from trading.model.ids import split_ibkr_execution_id
from trading.ports.broker_events import (
    COVERING_SOURCES,
    EVER,
    GAPS_MAX,
    ORDERS_MAX,
    AccountFigure,
    BrokerEventStore,
    ClockReading,
    CoverageHole,
    HeldPosition,
    OrderState,
    OutboxGap,
    WaitingCommission,
)
from trading.ports.outbox import UnreadableEntry

UNREADABLE = "unreadable"
COLUMNS = (
    "stream",
    "kind",
    "entry_ms",
    "entry_seq",
    "epoch",
    "sequence",
    "account",
    "heard_at",
    "broker_at",
    "payload",
    "received_at",
)


class ClickHouseBrokerEventStore(BrokerEventStore):
    """The port on a real or embedded server."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def record(
        self, entries: Sequence[OutboxEntry], unreadable: Sequence[UnreadableEntry], received_at: datetime
    ) -> None:
        """Store a batch by one insert; its token is of the entries, so that a lost answer changes nothing."""
        rows = [entry_cells(entry, received_at) for entry in entries]
        rows += [_unreadable_cells(entry, received_at) for entry in unreadable]
        names = [f"{entry.stream} {entry.entry_id}" for entry in entries]
        names += [f"{entry.stream} {entry.entry_id}" for entry in unreadable]
        self._warehouse.insert(
            "audit.outbox_entries", COLUMNS, rows, token=f"outbox-{_digest(*sorted(names))}"
        )
        if unreadable:
            self.refuse(unreadable, received_at)

    def refuse(self, unreadable: Sequence[UnreadableEntry], received_at: datetime) -> None:
        """Put entries into the dead letter."""
        rows = [_rejected_cells(entry, received_at) for entry in unreadable]
        token = f"rejected-{_digest(*(f'{row[2]}' for row in rows))}"
        self._warehouse.insert("audit.rejected_rows", REJECTED_COLUMNS, rows, token)

    def accounts_of(self, exec_ids: Collection[str]) -> Mapping[str, str]:
        """Return the accounts of those executions whose fills are stored."""
        fill_ids = {exec_id: fill_id for exec_id in exec_ids if (fill_id := _fill_id(exec_id))}
        if not fill_ids:
            return {}
        asked = {"exec_ids": sorted(fill_ids), "fill_ids": sorted(set(fill_ids.values()))}
        found = self._warehouse.rows(sql.query("executions_accounts"), asked)
        return {row["exec_id"]: row["account"] for row in found}

    def combinations_of(self, exec_ids: Collection[str]) -> Collection[str]:
        """Return those that are executions of a combination as such."""
        if not exec_ids:
            return frozenset()
        found = self._warehouse.rows(sql.query("executions_combined"), {"exec_ids": sorted(exec_ids)})
        return frozenset(row["exec_id"] for row in found)

    def settleable(self, since: datetime, most: int) -> Sequence[WaitingCommission]:
        """Return commission reports without a fee whose fill is stored now."""
        found = self._warehouse.rows(sql.query("commissions_settleable"), {"since": since, "most": most})
        return [
            WaitingCommission(
                stream=row["stream"],
                exec_id=row["exec_id"],
                fields=_fields(row["payload"]),
                account=row["account"],
            )
            for row in found
        ]

    def unsettled(self, since: datetime, most: int) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """Return the commission reports that have no fee yet: wordings by execution id."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for row in self._warehouse.rows(sql.query("commissions_unsettled"), {"since": since, "most": most}):
            found.setdefault(row["exec_id"], []).append(_fields(row["payload"]))
        return found

    def waiting(self, since: datetime) -> int:
        """Count the commission reports that have no fee yet."""
        return int(self._warehouse.value(sql.query("commissions_waiting"), {"since": since}))

    def gaps(self) -> Sequence[OutboxGap]:
        """Return the faults in the outbox's numbers."""
        return [
            OutboxGap(**row) for row in self._warehouse.rows(sql.query("outbox_gaps"), {"most": GAPS_MAX})
        ]

    def coverage_holes(
        self,
        venue: Venue,
        accounts: Sequence[str],
        start: datetime,
        end: datetime,
        sources: Sequence[Source] = COVERING_SOURCES,
    ) -> Sequence[CoverageHole]:
        """Return what no such source told completely in [start, end)."""
        asked = {
            "venue": str(venue),
            "accounts": list(accounts),
            "start": start,
            "end": end,
            "sources": [str(source) for source in sources],
        }
        found = self._warehouse.rows(sql.query("coverage_holes"), asked)
        return [CoverageHole(**row) for row in found]

    def orders(
        self, accounts: Sequence[str] = (), *, working_only: bool = False, since: datetime = EVER
    ) -> Sequence[OrderState]:
        """Return orders as they were last told, newest first; a word that is no order is left out."""
        asked = {
            "accounts": list(accounts),
            "working_only": working_only,
            "working": sorted(WORKING_STATUSES),
            "since": since,
            "most": ORDERS_MAX,
        }
        found = self._read(order_state_of, "orders_live", asked)
        return [state for state in found if state is not None]

    def positions(self, accounts: Sequence[str] = ()) -> Sequence[HeldPosition]:
        """Return the positions of the newest complete answer of each account."""
        return self._read(held_of, "broker_positions_latest", {"accounts": list(accounts)})

    def account_values(self, accounts: Sequence[str] = ()) -> Sequence[AccountFigure]:
        """Return the figures of each account as they were last told."""
        return self._read(figure_of, "account_values_latest", {"accounts": list(accounts)})

    def clock(self) -> ClockReading | None:
        """Return the newest complete reading of the broker's clock."""
        found = self._warehouse.rows(sql.query("broker_clock"))
        return ClockReading(**found[0]) if found else None

    def _read(
        self, read: Callable[[Mapping[str, Any]], Any], name: str, asked: Mapping[str, object]
    ) -> list[Any]:
        return [read(row) for row in self._warehouse.rows(sql.query(name), asked)]


def entry_cells(entry: OutboxEntry, received_at: datetime) -> list[object]:
    """One row of audit.outbox_entries, in the order of COLUMNS."""
    event = entry.event
    return [
        entry.stream,
        str(event.kind),
        *_place(entry.entry_id),
        entry.epoch,
        entry.sequence,
        stored_text(event.account),
        event.heard_at,
        event.broker_at,
        payload_text(event.payload),
        received_at,
    ]


def _unreadable_cells(entry: UnreadableEntry, received_at: datetime) -> list[object]:
    entry_ms, entry_seq = _place(entry.entry_id)
    told = {"text": stored_text(entry.text)[:PAYLOAD_CHARS_MAX], "reason": stored_text(entry.reason)}
    return [
        entry.stream,
        UNREADABLE,
        entry_ms,
        entry_seq,
        stored_text(entry.epoch),
        entry.sequence or 0,
        "",
        datetime.fromtimestamp(entry_ms / 1000, UTC),
        None,
        orjson.dumps(told).decode(),
        received_at,
    ]


def payload_text(payload: Mapping[str, Any]) -> str:
    """The payload as JSON text that the warehouse can hold: half a surrogate pair becomes an escape."""
    try:
        return orjson.dumps(payload).decode()
    except TypeError:
        return orjson.dumps(_storable(payload)).decode()


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return stored_text(value)
    if isinstance(value, Mapping):
        return {stored_text(str(name)): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, bool | float) or value is None:
        return value
    return value if isinstance(value, int) and abs(value) < 2**63 else str(value)


def _rejected_cells(entry: UnreadableEntry, received_at: datetime) -> list[object]:
    reason = stored_text(f"{entry.stream} {entry.entry_id}: {entry.reason}")
    payload = stored_text(entry.text)
    return [
        str(Venue.IBKR),
        str(Source.LIVE),
        _digest(reason, payload),
        "",
        stored_text(f"{entry.stream} {entry.entry_id}"),
        "entry",
        reason,
        payload[:PAYLOAD_CHARS_MAX],
        len(payload.encode()),
        False,
        entry.entry_id,
        received_at,
    ]


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)


def _fields(payload: str) -> tuple[str, ...]:
    return tuple(orjson.loads(payload)["fields"])


def _fill_id(exec_id: str) -> str:
    try:
        return split_ibkr_execution_id(exec_id)[0]
    except InvalidFieldError:
        return ""


def _digest(*parts: str) -> str:
    return sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
