"""Drain the outbox into the warehouse: each entry once, in any number of tries, with a kill at any line.

The order is the argument. (1) The entries are stored, keyed by the stream's own id. (2) What they say of
fills is stored, keyed by the fill's. (3) Only then are they acknowledged. A kill before (3) repeats (1) and
(2), which changes nothing; after (3) nothing is missing. (4) The live state and the watch of positions come
last: what a kill loses of them the next answer brings. While (2) is under way for a batch, (1) goes on
for those behind it (`entries_ahead`): an execution is a row without waiting for the fills before it.

A warehouse that is down raises: nothing is acknowledged, the outbox keeps what it has, and the caller waits.
An entry that the warehouse refuses for good is found by halving its batch, after TRIES_MAX rounds (a table
that is missing for a moment must not send fills away); it goes to the dead letter with its payload, alone.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.errors import DeskError, PermanentError, WarehouseError
from trading.model.broker import BrokerEventKind, OutboxEntry, Question
from trading.ports.alerts import Alerts
from trading.ports.fill_store import BatchReport
from trading.ports.live_state import LiveState
from trading.ports.outbox import OutboxBatch, OutboxReader, UnreadableEntry
from trading.services.drain_fills import FillTools, LiveFills, is_due
from trading.services.entries_ahead import Beside, EntriesAhead
from trading.services.refuse_entries import refused, unfit_entries
from trading.services.tell_live_state import is_complete, tell_live_state

logger = logging.getLogger(__name__)

ENTRIES_PER_BATCH_MAX = 2_000
STUCK_ALERT = "drain_stuck"
REFUSED_ALERT = "outbox_entries_refused"
TRIES_MAX = 3  # rounds in which the warehouse refuses a batch before its entries are tried by themselves
CLAIM_AFTER_S = 30.0  # what another consumer was given and left for so long is ours
CLAIM_EVERY = timedelta(seconds=10)
REFUSALS = (  # an entry that our own code stumbles over must not stop the others either
    PermanentError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
WATCH_PAUSE = timedelta(seconds=1)  # a simulated broker may be asked for positions many times a second


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainTools:
    """What the drain reads and writes; `on_positions` is called after complete positions answers, with the
    moment up to which the fills of all that was stored are stored, too.

    Without a worker `beside` it stores one batch after the other.
    """

    reader: OutboxReader
    fills: FillTools
    live_state: LiveState | None
    on_positions: Callable[[datetime], object] | None
    alerts: Alerts | None = None
    beside: Beside | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainReport:
    """What one round did."""

    entries: int = 0
    unreadable: int = 0
    refused: int = 0
    fills: BatchReport | None = None
    waiting: int = 0


class OutboxDrain:
    """One consumer of one outbox; call `drain_once` for ever."""

    def __init__(self, tools: DrainTools, entries_max: int = ENTRIES_PER_BATCH_MAX) -> None:
        self._tools = tools
        self._events = tools.fills.events
        self._clock = tools.fills.clock
        self._fills = LiveFills(tools.fills)
        self._entries_max = entries_max
        self._ahead = EntriesAhead(tools.reader, self._store_entries, tools.beside, self._clock, entries_max)
        self._refusals = 0  # rounds in a row in which the warehouse refused
        self._good: OutboxEntry | None = None  # stored before: what proves that the warehouse takes entries
        self._claimed_at: datetime | None = None
        self._watch_due = False
        self._watched_at: datetime | None = None

    def drain_once(self, wait_s: float) -> DrainReport:
        """Drain what is there, waiting up to `wait_s` for it.

        Raises WarehouseUnavailableError, WarehouseError or LiveStateUnavailableError: what was not stored was
        not acknowledged either, and the caller calls again after a pause.
        """
        self._claim()
        stored = self._ahead.take()
        batch = stored or self._tools.reader.read(self._entries_max, wait_s)
        try:
            report = self._drained(batch, is_stored=stored is not None) if batch.entry_ids else DrainReport()
        except Exception:
            self._ahead.forget()
            self._ahead.round_ended(holds_no_more=False)
            raise
        if self._tools.alerts is not None:
            self._tools.alerts.end_alert(STUCK_ALERT, "the warehouse takes entries")
        self._settle()
        is_whole = len(batch.entry_ids) < self._entries_max
        self._ahead.round_ended(holds_no_more=stored is None and is_whole)
        if is_whole:
            self._watch()
        return report

    def _drained(self, batch: OutboxBatch, *, is_stored: bool) -> DrainReport:
        told: BatchReport | None = None
        poisoned: list[UnreadableEntry] = []
        try:
            if not is_stored:
                self._store_entries(batch)
            told = self._fills_of(batch.entries)
        except REFUSALS as error:
            self._refusals += 1
            if self._refusals < TRIES_MAX:
                raise
            logger.error("drain_refused entries=%d error=%s", len(batch.entries), error)
            poisoned = self._by_themselves(batch)
        self._refusals = 0
        self._remember_good(batch.entries, poisoned)
        self._tools.reader.ack(batch.entry_ids)
        self._tell(batch.entries)
        report = DrainReport(
            entries=len(batch.entries),
            unreadable=len(batch.unreadable),
            refused=len(unfit_entries(batch.entries)) + len(poisoned),
            fills=told,
            waiting=self._fills.waiting,
        )
        _log(batch, report)
        self._alert(report)
        return report

    def _remember_good(self, entries: Sequence[OutboxEntry], poisoned: Sequence[UnreadableEntry]) -> None:
        """Keep one entry that was stored, best one that went through the fills."""
        bad = {entry.entry_id for entry in poisoned}
        stored = [entry for entry in entries if entry.entry_id not in bad]
        fills = [entry for entry in stored if entry.event.kind is BrokerEventKind.MESSAGE]
        if fills or (stored and self._good is None):
            self._good = (fills or stored)[-1]

    def _store_entries(self, batch: OutboxBatch) -> None:
        now = self._clock.now()
        self._events.record(batch.entries, batch.unreadable, now)
        bad = unfit_entries(batch.entries)
        if bad:
            self._events.refuse(bad, now)

    def _fills_of(self, entries: Sequence[OutboxEntry]) -> BatchReport | None:
        """Store them; where the warehouse has just refused, with nothing beside."""
        if self._refusals:
            return self._fills.record(entries)
        return self._ahead.during(lambda: self._fills.record(entries))

    def _try(self, entries: Sequence[OutboxEntry]) -> None:
        """Store these by themselves."""
        self._events.record(entries, (), self._clock.now())
        self._fills.record(entries)

    def _by_themselves(self, batch: OutboxBatch) -> list[UnreadableEntry]:
        """Store what can be stored and refuse the rest, where it is the entries and not the warehouse."""
        poisoned = self._halved(batch.entries)
        if len(poisoned) == len(batch.entries):
            self._prove_warehouse(poisoned[0].reason)
        self._events.record((), batch.unreadable, self._clock.now())
        self._events.refuse([*unfit_entries(batch.entries), *poisoned], self._clock.now())
        return poisoned

    def _prove_warehouse(self, reason: str) -> None:
        """Nothing of a batch was stored: store again what was stored before, which changes nothing.

        Raises where that fails, or where nothing is known: a table that is missing for an hour must not send
        an hour of fills to the dead letter.
        """
        try:
            if self._good is None:
                raise WarehouseError(reason)
            self._try([self._good])
        except REFUSALS as error:
            if self._tools.alerts is not None:
                self._tools.alerts.raise_alert(STUCK_ALERT, f"the warehouse refuses every entry: {error}")
            raise WarehouseError(f"drain: expected entries that can be stored, was {reason}") from error

    def _halved(self, entries: Sequence[OutboxEntry]) -> list[UnreadableEntry]:
        """Try all; where they are refused, each half by itself, down to the entry that is refused alone."""
        try:
            self._try(entries)
        except REFUSALS as error:
            if len(entries) == 1:
                return [refused(entries[0], error)]
            middle = len(entries) // 2
            return [*self._halved(entries[:middle]), *self._halved(entries[middle:])]
        return []

    def _claim(self) -> None:
        now = self._clock.now()
        if is_due(self._claimed_at, now, CLAIM_EVERY):
            claimed = self._tools.reader.claim(self._entries_max, CLAIM_AFTER_S)
            self._claimed_at = now
            if claimed:
                self._ahead.forget()  # `read` gives it behind what was claimed
                logger.warning("drain_claimed entries=%d", claimed)

    def _settle(self) -> None:
        """Look at what waits; an error is told and tried again, it holds no entry up."""
        try:
            self._ahead.during(self._fills.settle)
        except DeskError as error:
            logger.warning("commissions_not_settled error=%s", error)

    def _tell(self, entries: Sequence[OutboxEntry]) -> None:
        if self._tools.live_state is not None:
            tell_live_state(self._tools.live_state, entries)
        self._watch_due |= any(is_complete(entry, Question.POSITIONS) for entry in entries)

    def _alert(self, report: DrainReport) -> None:
        lost = report.unreadable + report.refused
        if lost and self._tools.alerts is not None:
            text = f"{lost} entries of the outbox were refused; select * from audit.rejected_rows"
            self._tools.alerts.raise_alert(REFUSED_ALERT, text)

    def _watch(self) -> None:
        """Compare positions; an error is told and tried again, it holds no entry up."""
        now = self._clock.now()
        if not self._watch_due or not is_due(self._watched_at, now, WATCH_PAUSE):
            return
        self._watched_at = now
        try:
            if self._tools.on_positions is not None:
                self._tools.on_positions(self._ahead.stored_by or now)
            self._watch_due = False
        except DeskError as error:
            logger.warning("positions_not_watched error=%s", error)


def _log(batch: OutboxBatch, report: DrainReport) -> None:
    fills = report.fills
    logger.info(
        "outbox_drained entries=%d unreadable=%d refused=%d fills=%d new=%d waiting=%d last=%s",
        report.entries,
        report.unreadable,
        report.refused,
        fills.total if fills else 0,
        fills.new if fills else 0,
        report.waiting,
        batch.entry_ids[-1],
    )
