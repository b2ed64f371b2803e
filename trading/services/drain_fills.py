"""Fills and fees out of drained entries: through the same store as files, so in one identity with them.

A commission report names no account, and it may come before its execution, in another batch, or while we
were down. It is never dropped and never guessed: it waits. What waits is kept by the warehouse (a report
that was drained and has no fee), so a kill loses nothing; the memory here only saves questions. It is settled
when its execution is drained, and by a look once a minute, since a file may bring the execution instead.
"""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from trading.errors import InvalidFieldError
from trading.model.broker import BrokerEventKind, Completeness, OutboxEntry, Question
from trading.model.fills import CoverageInterval, FillBatch, Source, Venue
from trading.model.times import from_iso
from trading.ports.broker_events import BrokerEventStore
from trading.ports.clock import Clock
from trading.ports.fill_store import BatchReport, FillStore
from trading.ports.message_reader import Fields, MessageKind, MessageReader

logger = logging.getLogger(__name__)

ACCOUNTS_KEPT_MAX = 50_000  # execution ids with their account: about five busy days
WAITING_KEPT_MAX = 10_000  # reports in memory; those beyond wait in the warehouse only
WAITING_SINCE_DAYS = 7  # an execution that comes later comes with its statement, and that has the fee
SETTLED_AT_ONCE_MAX = 1_000
SETTLE_EVERY = timedelta(minutes=1)
TRIED_KEPT_MAX = 10_000

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTools:
    """What draining fills needs."""

    messages: MessageReader
    events: BrokerEventStore
    fills: FillStore
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Heard:
    """The messages of a batch of entries by what they are about."""

    executions: Sequence[Fields]  # and all else that is no commission report
    reports: Mapping[str, Sequence[Fields]]  # by execution id; a report may come twice
    combined: Collection[str]


class LiveFills:
    """Stores the fills, fees and coverage that entries tell; safe to repeat with the same entries."""

    def __init__(self, tools: FillTools) -> None:
        self._tools = tools
        self._accounts: dict[str, str] = {}  # of execution ids whose fills are stored
        self._combined: dict[str, str] = {}  # execution ids of combinations, which have no fee of their own
        self._waiting: dict[str, Sequence[Fields]] = {}
        self._tried: dict[str, str] = {}  # settled once; a report that is refused is not tried for ever
        self._looked_at: datetime | None = None

    @property
    def waiting(self) -> int:
        """How many reports wait for their execution."""
        return len(self._waiting)

    def record(self, entries: Sequence[OutboxEntry]) -> BatchReport | None:
        """Store what these entries say of fills; None where they say nothing."""
        heard = self._heard(entries)
        origin = _origin(entries)
        told = self._tools.messages.batch(heard.executions, {}, origin)
        own = {fill.exec_id: fill.account for fill in told.fills}
        reports = _merged({name: self._waiting[name] for name in own if name in self._waiting}, heard.reports)
        accounts = self._known_accounts(reports, own)
        combined = self._known_combined([name for name in reports if name not in accounts], heard.combined)
        ready = [fields for name, same in reports.items() if name in accounts for fields in same]
        fees = self._tools.messages.batch(ready, accounts, origin)
        report = self._stored(_joined(told, fees, tuple(_coverage(entries))))
        _keep(self._accounts, {**accounts, **own}, ACCOUNTS_KEPT_MAX)
        _keep(self._combined, dict.fromkeys(combined, ""), ACCOUNTS_KEPT_MAX)
        self._wait_for({name for name in reports if name not in accounts and name not in combined}, reports)
        for name in (*accounts, *combined):
            self._waiting.pop(name, None)
        return report

    def settle(self) -> BatchReport | None:
        """At the start, and once a minute while any wait: fees of reports whose execution is there now.

        What waits beyond that is learned from the warehouse: reports that a process before this one drained.
        """
        now = self._tools.clock.now()
        has_looked = self._looked_at is not None
        if (has_looked and not self._waiting) or not is_due(self._looked_at, now, SETTLE_EVERY):
            return None
        since = now - timedelta(days=WAITING_SINCE_DAYS)
        found = self._tools.events.settleable(since, SETTLED_AT_ONCE_MAX)
        fresh = [report for report in found if report.exec_id not in self._tried]
        accounts = {report.exec_id: report.account for report in fresh}
        batch = self._tools.messages.batch([report.fields for report in fresh], accounts, "settled reports")
        report = self._stored(batch)
        _keep(self._tried, dict.fromkeys(accounts, ""), TRIED_KEPT_MAX)
        left = self._tools.events.unsettled(since, WAITING_KEPT_MAX)
        self._waiting = {name: same for name, same in left.items() if name not in self._tried}
        self._looked_at = now
        return report

    def _wait_for(self, names: Collection[str], reports: Mapping[str, Sequence[Fields]]) -> None:
        waits = {name: reports[name] for name in names}
        before = {name: self._waiting[name] for name in names if name in self._waiting}
        _keep(self._waiting, _merged(before, waits), WAITING_KEPT_MAX)

    def _heard(self, entries: Sequence[OutboxEntry]) -> _Heard:
        executions: list[Fields] = []
        reports: dict[str, list[Fields]] = {}
        combined: set[str] = set()
        for fields in _messages(entries):
            about = self._tools.messages.about(fields)
            if about.kind is MessageKind.COMMISSION:
                reports.setdefault(about.exec_id, []).append(fields)
                continue
            executions.append(fields)
            if about.kind is MessageKind.COMBINATION:
                combined.add(about.exec_id)
        return _Heard(executions, reports, combined)

    def _known_accounts(self, reports: Collection[str], own: Mapping[str, str]) -> dict[str, str]:
        known = {name: own.get(name) or self._accounts.get(name) for name in reports}
        missing = [name for name, account in known.items() if account is None]
        found = self._tools.events.accounts_of(missing) if missing else {}
        return {name: account for name in reports if (account := known[name] or found.get(name))}

    def _known_combined(self, names: Sequence[str], own: Collection[str]) -> set[str]:
        known = {name for name in names if name in own or name in self._combined}
        missing = [name for name in names if name not in known]
        return known | set(own) | (set(self._tools.events.combinations_of(missing)) if missing else set())

    def _stored(self, batch: FillBatch) -> BatchReport | None:
        if not (batch.fills or batch.commissions or batch.rejected or batch.coverage):
            return None
        return self._tools.fills.record(batch, self._tools.clock.now())


def _messages(entries: Iterable[OutboxEntry]) -> Iterable[Fields]:
    for entry in entries:
        if entry.event.kind is BrokerEventKind.MESSAGE:
            try:
                yield message_fields(entry)
            except InvalidFieldError:
                continue  # in the dead letter, by refuse_entries


def message_fields(entry: OutboxEntry) -> Fields:
    fields = entry.event.payload.get("fields")
    if (
        not isinstance(fields, list | tuple)
        or not fields
        or not all(isinstance(item, str) for item in fields)
    ):
        raise InvalidFieldError("fields", "a list of texts", fields)
    return fields


def _coverage(entries: Iterable[OutboxEntry]) -> Iterable[CoverageInterval]:
    for entry in entries:
        try:
            yield from covered_by(entry)
        except InvalidFieldError:
            continue  # in the dead letter, by refuse_entries


def covered_by(entry: OutboxEntry) -> Sequence[CoverageInterval]:
    """What a complete answer about executions covers: those intervals whose fills stand before it."""
    payload = entry.event.payload
    is_executions = payload.get("question") == Question.EXECUTIONS
    if entry.event.kind is not BrokerEventKind.ANSWER or not is_executions:
        return ()
    if payload.get("completeness") != Completeness.COMPLETE:
        return ()
    start, end = from_iso("from_at", payload.get("from_at", "")), from_iso("to_at", payload.get("to_at", ""))
    accounts = payload.get("accounts")
    if not isinstance(accounts, list | tuple) or not all(isinstance(name, str) and name for name in accounts):
        raise InvalidFieldError("accounts", "a list of accounts", accounts)
    if end <= start:
        return ()
    return [
        CoverageInterval(venue=Venue.IBKR, account=name, source=Source.SAME_DAY, start=start, end=end)
        for name in dict.fromkeys(accounts)
    ]


def _merged(
    before: Mapping[str, Sequence[Fields]], more: Mapping[str, Sequence[Fields]]
) -> dict[str, Sequence[Fields]]:
    """Both, each wording once: a report that is repeated every minute must not pile up."""
    names = dict.fromkeys((*before, *more))
    return {
        name: list(dict.fromkeys(tuple(fields) for fields in (*before.get(name, ()), *more.get(name, ()))))
        for name in names
    }


def _joined(told: FillBatch, fees: FillBatch, coverage: tuple[CoverageInterval, ...]) -> FillBatch:
    return replace(
        told,
        commissions=(*told.commissions, *fees.commissions),
        rejected=(*told.rejected, *fees.rejected),
        warnings=(*told.warnings, *fees.warnings),
        coverage=tuple(dict.fromkeys(coverage)),
    )


def _origin(entries: Sequence[OutboxEntry]) -> str:
    return f"{entries[0].stream} {entries[0].entry_id} to {entries[-1].entry_id}" if entries else ""


def _keep(kept: dict[str, Value], more: Mapping[str, Value], most: int) -> None:
    """Add, newest last, and let go of the oldest beyond `most`."""
    for name, value in more.items():
        kept.pop(name, None)
        kept[name] = value
    if len(kept) > most:
        for name in list(kept)[: len(kept) - most]:
            del kept[name]


def is_due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Say whether `every` has passed since `last`; a clock that was set back makes it due, too."""
    return last is None or not timedelta(0) <= now - last < every
