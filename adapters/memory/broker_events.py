"""Drained entries in memory: the views of the warehouse, written a second time in Python."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.memory.fill_store import MemoryFillStore
from trading.errors import InvalidFieldError
from trading.model.broker import WORKING_STATUSES, AccountValue, BrokerOrder, OutboxEntry
from trading.model.broker_payloads import account_value_of, order_of, position_of
from trading.model.fills import Source, Venue
from trading.ports.broker_events import (
    COVERING_SOURCES,
    EVER,
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

Place = tuple[int, int]


class MemoryBrokerEventStore(BrokerEventStore):
    """The port in one process; fills and their coverage are looked up in the fill store beside it."""

    def __init__(self, fills: MemoryFillStore) -> None:
        self._fills = fills
        self.entries: dict[tuple[str, Place, str], OutboxEntry] = {}
        self.received: dict[tuple[str, Place, str], datetime] = {}
        self.unreadable: dict[tuple[str, Place, str], UnreadableEntry] = {}
        self.refused: dict[tuple[str, str, str], UnreadableEntry] = {}

    def record(
        self, entries: Sequence[OutboxEntry], unreadable: Sequence[UnreadableEntry], received_at: datetime
    ) -> None:
        """Store a batch; an entry that is there already is the same."""
        self.entries.update({_key(entry): entry for entry in entries})
        for entry in entries:
            self.received.setdefault(_key(entry), received_at)
        self.unreadable.update({_key(entry): entry for entry in unreadable})
        self.refuse(unreadable, received_at)

    def refuse(self, unreadable: Sequence[UnreadableEntry], received_at: datetime) -> None:
        """Put entries into the dead letter."""
        self.refused.update({(entry.entry_id, entry.reason, entry.text): entry for entry in unreadable})

    def accounts_of(self, exec_ids: Collection[str]) -> Mapping[str, str]:
        """Return the accounts of those executions whose fills are stored."""
        found = {exec_id: self._fills.account_of(exec_id) for exec_id in exec_ids}
        return {exec_id: account for exec_id, account in found.items() if account is not None}

    def combinations_of(self, exec_ids: Collection[str]) -> Collection[str]:
        """Return those that are executions of a combination as such."""
        told = {fields[14].strip() for _, fields in self._messages("11") if fields[5] == "BAG"}
        return told & set(exec_ids)

    def settleable(self, since: datetime, most: int) -> Sequence[WaitingCommission]:
        """Return commission reports without a fee whose fill is stored now."""
        waiting = self._waiting(since)
        accounts = self.accounts_of(waiting)
        return [
            WaitingCommission(stream=stream, exec_id=exec_id, fields=fields, account=accounts[exec_id])
            for exec_id in sorted(accounts)
            for stream, fields in waiting[exec_id]
        ][:most]

    def unsettled(self, since: datetime, most: int) -> Mapping[str, Sequence[tuple[str, ...]]]:
        """Return the commission reports that have no fee yet: wordings by execution id."""
        waiting = list(self._waiting(since).items())[-most:]
        return {exec_id: [fields for _, fields in wordings] for exec_id, wordings in waiting}

    def waiting(self, since: datetime) -> int:
        """Count the commission reports that have no fee yet."""
        return len(self._waiting(since))

    def gaps(self) -> Sequence[OutboxGap]:
        """Return the faults in the outbox's numbers."""
        by_epoch: dict[tuple[str, str], dict[int, list[datetime]]] = {}
        told = [(entry, entry.event.heard_at) for entry in self.entries.values()]
        lost = [(entry, _heard_at(entry)) for entry in self.unreadable.values()]
        numbered = [(entry.stream, entry.epoch, entry.sequence, at) for entry, at in told]
        numbered += [(entry.stream, entry.epoch, entry.sequence or 0, at) for entry, at in lost]
        for stream, epoch, sequence, heard_at in numbered:
            if sequence:
                by_epoch.setdefault((stream, epoch), {}).setdefault(sequence, []).append(heard_at)
        return [gap for name in sorted(by_epoch) for gap in _gaps(name, by_epoch[name])]

    def coverage_holes(
        self,
        venue: Venue,
        accounts: Sequence[str],
        start: datetime,
        end: datetime,
        sources: Sequence[Source] = COVERING_SOURCES,
    ) -> Sequence[CoverageHole]:
        """Return what no such source told completely in [start, end)."""
        holes = []
        for account in sorted(set(accounts)):
            covered_to = start
            told = (row for row in self._fills.coverage if (row.venue, row.account) == (venue, account))
            for row in sorted((row for row in told if row.source in sources), key=lambda row: row.start):
                if row.end > start and row.start < end:
                    if row.start > covered_to:
                        holes.append(CoverageHole(account=account, start=covered_to, end=row.start))
                    covered_to = max(covered_to, row.end)
            if covered_to < end:
                holes.append(CoverageHole(account=account, start=covered_to, end=end))
        return holes

    def orders(
        self, accounts: Sequence[str] = (), *, working_only: bool = False, since: datetime = EVER
    ) -> Sequence[OrderState]:
        """Return orders as they were last told, newest first."""
        told: dict[tuple[str, str, str], list[tuple[OutboxEntry, BrokerOrder]]] = {}
        for entry, row in self._rows("order", ("open_orders", "completed_orders")):
            try:
                order = order_of(row)
            except InvalidFieldError:
                continue
            if entry.event.heard_at >= since:
                told.setdefault((order.account, order.order_ref, order.perm_id), []).append((entry, order))
        named = {(account, ref) for account, ref, perm_id in told if perm_id and ref}
        states = [
            _order_state(words)
            for (account, ref, perm_id), words in told.items()
            if perm_id or (account, ref) not in named
        ]
        kept = [
            state
            for state in states
            if (not accounts or state.order.account in accounts) and (state.is_working or not working_only)
        ]
        kept.sort(key=lambda state: (state.order.account, state.order.order_ref, state.order.perm_id))
        return sorted(kept, key=lambda state: state.last_heard_at, reverse=True)

    def positions(self, accounts: Sequence[str] = ()) -> Sequence[HeldPosition]:
        """Return the positions of the newest complete answer of each account."""
        latest: dict[str, list[HeldPosition]] = {}
        for entry in self._sorted():
            payload = entry.event.payload
            if payload.get("question") != "positions" or payload.get("completeness") != "complete":
                continue
            rows = [position_of(row) for row in payload["rows"]]
            for account in {*payload.get("accounts", ()), *(row.account for row in rows)}:
                latest[account] = [
                    HeldPosition(position=row, asked_at=_asked_at(entry), broker_at=entry.event.broker_at)
                    for row in rows
                    if row.account == account
                ]
        found = [
            held for account, rows in latest.items() if not accounts or account in accounts for held in rows
        ]
        return sorted(found, key=lambda held: (held.position.account, held.position.instrument_id))

    def account_values(self, accounts: Sequence[str] = ()) -> Sequence[AccountFigure]:
        """Return the figures of each account as they were last told."""
        latest: dict[tuple[str, str, str], AccountFigure] = {}
        for entry, row in self._rows("account_value", ("account_values",)):
            value = account_value_of(row)
            latest[value.account, value.name, value.currency] = AccountFigure(
                value=value,
                amount=_amount(value),
                heard_at=entry.event.heard_at,
                broker_at=entry.event.broker_at,
            )
        return [latest[key] for key in sorted(latest) if not accounts or key[0] in accounts]

    def clock(self) -> ClockReading | None:
        """Return the newest complete reading of the broker's clock."""
        told = [
            entry.event
            for entry in self._sorted()
            if entry.event.payload.get("question") == "clock"
            and entry.event.payload.get("completeness") == "complete"
        ]
        if not told:
            return None
        last = max(told, key=lambda event: event.heard_at)
        return ClockReading(
            heard_at=last.heard_at, broker_at=last.broker_at, skew_ms=float(last.payload["skew_ms"])
        )

    def _sorted(self) -> list[OutboxEntry]:
        return [self.entries[key] for key in sorted(self.entries)]

    def _rows(self, kind: str, questions: Collection[str]) -> Iterator[tuple[OutboxEntry, Mapping[str, Any]]]:
        for entry in self._sorted():
            payload = entry.event.payload
            if entry.event.kind == kind:
                yield entry, payload
            elif entry.event.kind == "answer" and payload.get("question") in questions:
                rows = payload.get("rows")
                yield from ((entry, row) for row in (rows if isinstance(rows, list) else ()))

    def _messages(self, number: str) -> Iterator[tuple[OutboxEntry, tuple[str, ...]]]:
        for entry in self._sorted():
            fields = entry.event.payload.get("fields")
            if entry.event.kind == "message" and fields and fields[0] == number:
                yield entry, tuple(fields)

    def _waiting(self, since: datetime) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        combined = {fields[14].strip() for _, fields in self._messages("11") if fields[5] == "BAG"}
        waiting: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for entry, fields in self._messages("59"):
            exec_id = fields[2].strip()
            if exec_id in combined or self.received[_key(entry)] < since or self._fills.has_fee(exec_id):
                continue
            wordings = waiting.setdefault(exec_id, [])
            if (entry.stream, fields) not in wordings:
                wordings.append((entry.stream, fields))
        return waiting


def _key(entry: OutboxEntry | UnreadableEntry) -> tuple[str, Place, str]:
    milliseconds, _, number = entry.entry_id.partition("-")
    return entry.stream, (int(milliseconds), int(number)), entry.epoch


def _heard_at(entry: UnreadableEntry) -> datetime:
    return datetime.fromtimestamp(int(entry.entry_id.partition("-")[0]) / 1000, UTC)


def _asked_at(entry: OutboxEntry) -> datetime:
    told = entry.event.payload.get("asked_at")
    return datetime.fromisoformat(told) if told else entry.event.heard_at


def _gaps(name: tuple[str, str], numbers: Mapping[int, Sequence[datetime]]) -> Iterator[OutboxGap]:
    before = 0
    for sequence in sorted(numbers):
        at = min(numbers[sequence])
        if sequence > before + 1:
            yield _gap(name, "missing", before + 1, sequence - 1, at)
        if len(numbers[sequence]) > 1:
            yield _gap(name, "reused", sequence, sequence, at)
        before = sequence


def _gap(name: tuple[str, str], fault: str, first: int, last: int, at: datetime) -> OutboxGap:
    return OutboxGap(
        stream=name[0], epoch=name[1], fault=fault, from_sequence=first, to_sequence=last, heard_at=at
    )


def _order_state(words: Sequence[tuple[OutboxEntry, BrokerOrder]]) -> OrderState:
    last, order = words[-1]
    return OrderState(
        order=order,
        is_working=order.status in WORKING_STATUSES,
        first_heard_at=min(entry.event.heard_at for entry, _ in words),
        last_heard_at=max(entry.event.heard_at for entry, _ in words),
        broker_at=last.event.broker_at,
    )


def _amount(value: AccountValue) -> Decimal | None:
    try:
        number = Decimal(value.value)
    except InvalidOperation:
        return None
    return number if math.isfinite(number) else None
