"""Drain the market's outbox into the warehouse: each block once, in any number of tries, killed at will.

The order is the argument. (1) A batch is stored, each row keyed by its entry and its place in it. (2) Only
then is it acknowledged. A kill between the two repeats (1): the reader gives the batch again as a repeat, the
store looks first and adds what is missing. Fewer, larger inserts are cheaper for the warehouse, so who calls
pauses between batches that were not full. A minute that runs is rolled up now and then and not with each
batch: the store notes it before (2), so that a kill loses none, and `settle` after each round is its turn.

A warehouse that is down raises: nothing is acknowledged, the outbox keeps what it has, and the caller waits.
A block that the warehouse refuses for good is found by halving its batch, after TRIES_MAX rounds (a table
that is missing for a moment must not send blocks away); it goes to the dead letter with its payload, alone.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from trading.errors import DeskError, PermanentError, WarehouseError
from trading.feeds.samples import samples_of
from trading.model.market import ChainSnapshot, MarketEntry, MarketKind
from trading.ports.alerts import Alerts
from trading.ports.batch_log import BatchLog
from trading.ports.clock import Clock
from trading.ports.feed_health import FeedBoard, FeedHealth, FeedState
from trading.ports.market_outbox import READ_BLOCKS_MAX, MarketBatch, MarketOutboxReader
from trading.ports.market_store import LoadReport, MarketStore
from trading.ports.metric_store import SAMPLES_PER_CALL_MAX, MetricStore
from trading.ports.outbox import OutboxBacklog, UnreadableEntry
from trading.services.drain_fills import is_due
from trading.services.note_batches import BatchNotes

logger = logging.getLogger(__name__)

ROWS_PER_BATCH = 100_000  # of one insert, about; more are stored and acknowledged in parts
PAUSE_S = 1.0  # between batches that were not full: the warehouse gets a row at most so late
CLAIM_AFTER_S = 30.0  # what another consumer was given and left for so long is ours
CLAIM_EVERY = timedelta(seconds=10)
BACKLOG_EVERY = timedelta(seconds=10)
EVERY_SYMBOL = "*"
TRIES_MAX = 3  # rounds in which the warehouse refuses a batch before its blocks are tried by themselves
STUCK_ALERT = "market_drain_stuck"
REFUSED_ALERT = "market_blocks_refused"
REFUSALS = (  # a block that our own code stumbles over must not stop the others either
    PermanentError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDrainTools:
    """What the drain reads and writes."""

    reader: MarketOutboxReader
    store: MarketStore
    clock: Clock
    alerts: Alerts | None = None
    board: FeedBoard | None = None  # where people see how much waits
    metrics: MetricStore | None = None  # where what the board says is kept
    batches: BatchLog | None = None  # where it is kept what each batch did


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDrainReport:
    """What one round did; `is_full` says that more is waiting."""

    blocks: int = 0
    rows: int = 0
    repeated: int = 0
    refused: int = 0
    unreadable: int = 0
    is_full: bool = False


class MarketDrain:
    """One consumer of all symbols' streams; call `drain_once` for ever."""

    def __init__(
        self, tools: MarketDrainTools, blocks_max: int = READ_BLOCKS_MAX, rows_max: int = ROWS_PER_BATCH
    ) -> None:
        self._tools = tools
        self._blocks_max, self._rows_max = blocks_max, rows_max
        self._refusals = 0  # rounds in a row in which the warehouse refused
        self._good: MarketEntry | None = None  # stored before: what proves that the warehouse takes blocks
        self._claimed_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._drained_rows = 0  # since the board was told
        self._notes = BatchNotes(tools.batches)
        self.backlog: OutboxBacklog | None = None

    def drain_once(self, wait_s: float) -> MarketDrainReport:
        """Drain what is there, waiting up to `wait_s` for it.

        Raises WarehouseUnavailableError, WarehouseError or LiveStateUnavailableError: what was not stored was
        not acknowledged either, and the caller calls again after a pause.
        """
        self._claim()
        batch = self._tools.reader.read(self._blocks_max, wait_s)
        report = self._drained(batch) if batch.entries or batch.unreadable else MarketDrainReport()
        if self._tools.alerts is not None:
            self._tools.alerts.end_alert(STUCK_ALERT, "the warehouse takes blocks")
        self._look()
        self._tools.store.settle()
        return report

    def end(self) -> None:
        """At the end of a process: roll up what waits for it. Who comes next does it where this fails."""
        try:
            self._tools.store.settle(at_once=True)
        except DeskError as error:
            logger.warning("market_minutes_left error=%s", error)
        self.tell_notes()

    def tell_notes(self) -> None:
        """Tell now what the batches did, at the end of a process; it is told every ten seconds else."""
        self._notes.tell()

    def _drained(self, batch: MarketBatch) -> MarketDrainReport:
        reports: list[LoadReport] = []
        began_at, blocks, unreadable = self._tools.clock.now(), len(batch.entries), batch.unreadable
        for part in _parts(batch.entries, self._rows_max):
            reports += self._stored(part, unreadable, is_repeat=batch.is_repeat)
            self._tools.reader.ack([*part, *unreadable])
            unreadable = ()  # they went with the first part
        if unreadable:
            self._tools.store.record((), unreadable, is_repeat=batch.is_repeat)
            self._tools.reader.ack(unreadable)
        report = MarketDrainReport(
            blocks=blocks,
            rows=sum(each.new for each in reports),
            repeated=sum(each.repeated for each in reports),
            refused=sum(each.refused for each in reports),
            unreadable=len(batch.unreadable),
            is_full=batch.is_repeat or blocks >= self._blocks_max,
        )
        logger.info(
            "market_drained %s", " ".join(f"{name}={value}" for name, value in asdict(report).items())
        )
        self._drained_rows += report.rows
        self._notes.add(batch, reports, began_at, self._tools.clock.now())
        self._alert(report.unreadable, "blocks could not be read")
        return report

    def _stored(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        try:
            reports = self._tools.store.record(entries, unreadable, is_repeat=is_repeat)
        except REFUSALS as error:
            self._refusals += 1
            if self._refusals < TRIES_MAX:
                raise
            logger.error("market_drain_refused blocks=%d error=%s", len(entries), error)
            reports = self._by_themselves(entries, unreadable)
        else:
            self._good = entries[-1] if entries else self._good
        self._refusals = 0
        return reports

    def _by_themselves(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry]
    ) -> Sequence[LoadReport]:
        """Store what can be stored and refuse the rest, where it is the blocks and not the warehouse."""
        reports: list[LoadReport] = []
        poisoned = self._halved(entries, reports)
        if len(poisoned) == len(entries):
            self._prove_warehouse(poisoned[0].reason)
        self._tools.store.record((), [*unreadable, *poisoned], is_repeat=True)
        self._alert(len(poisoned), "blocks were refused")
        return [*reports, _refusal(len(poisoned))]

    def _halved(self, entries: Sequence[MarketEntry], reports: list[LoadReport]) -> list[UnreadableEntry]:
        """Try all; where they are refused, each half by itself, down to the block that is refused alone."""
        try:
            reports += self._tools.store.record(entries, (), is_repeat=True)
        except REFUSALS as error:
            if len(entries) == 1:
                return [_refused(entries[0], error)]
            middle = len(entries) // 2
            return [*self._halved(entries[:middle], reports), *self._halved(entries[middle:], reports)]
        self._good = entries[-1] if entries else self._good
        return []

    def _prove_warehouse(self, reason: str) -> None:
        """Nothing of a batch was stored: store again what was stored before, which changes nothing.

        Raises where that fails, or where nothing is known: a table that is missing for an hour must not send
        an hour of the market to the dead letter.
        """
        try:
            if self._good is None:
                raise WarehouseError(reason)
            self._tools.store.record([self._good], (), is_repeat=True)
        except REFUSALS as error:
            if self._tools.alerts is not None:
                text = f"the warehouse refuses every block: {error}"
                self._tools.alerts.raise_alert(STUCK_ALERT, text)
            raise WarehouseError(f"market drain: expected blocks that can be stored, was {reason}") from error

    def _claim(self) -> None:
        now = self._tools.clock.now()
        if is_due(self._claimed_at, now, CLAIM_EVERY):
            claimed = self._tools.reader.claim(self._blocks_max, CLAIM_AFTER_S)
            self._claimed_at = now
            if claimed:
                logger.warning("market_drain_claimed blocks=%d", claimed)

    def _look(self) -> None:
        """Say how much waits; an error is told and tried again, it holds no block up."""
        now = self._tools.clock.now()
        if not is_due(self._looked_at, now, BACKLOG_EVERY):
            return
        since = self._looked_at or now - BACKLOG_EVERY
        self._looked_at = now
        self._notes.tell()
        try:
            self.backlog = self._tools.reader.backlog()
            health = self._health(self.backlog, now, since)
            if self._tools.board is not None:
                self._tools.board.say([health])
                self._keep(self._tools.board)
        except DeskError as error:
            logger.warning("market_backlog_unknown error=%s", error)
            return
        logger.info("market_backlog blocks=%d given=%d age_s=%.1f", *_waiting(self.backlog, now))

    def _keep(self, board: FeedBoard) -> None:
        """What all feeds say of themselves now, to look back at; it is cut rather than held against rows."""
        if self._tools.metrics is not None:
            self._tools.metrics.record(list(samples_of(board.feeds()))[:SAMPLES_PER_CALL_MAX])

    def _health(self, backlog: OutboxBacklog, now: datetime, since: datetime) -> FeedHealth:
        blocks, _, age_s = _waiting(backlog, now)
        drained, self._drained_rows = self._drained_rows, 0
        return FeedHealth(
            feed="outbox",
            symbol=EVERY_SYMBOL,
            source="market-drain",
            state=FeedState.RUNNING,
            said_at=now,
            newest_at=backlog.oldest_at,
            age_s=age_s,
            rows=drained,
            rows_per_s=drained / max((now - since).total_seconds(), 1.0),
            text=f"{blocks} blocks wait for the warehouse",
        )

    def _alert(self, lost: int, what: str) -> None:
        if lost and self._tools.alerts is not None:
            text = f"{lost} {what}; select * from audit.rejected_rows where source = 'market'"
            self._tools.alerts.raise_alert(REFUSED_ALERT, text)


def _waiting(backlog: OutboxBacklog, now: datetime) -> tuple[int, int, float]:
    """Blocks that wait, those given out, and the age of the oldest."""
    oldest = backlog.oldest_at
    return backlog.entries, backlog.given, (now - oldest).total_seconds() if oldest else 0.0


def rows_in(entry: MarketEntry) -> int:
    """How many rows of the warehouse a block is."""
    return sum(len(row.contracts) if isinstance(row, ChainSnapshot) else 1 for row in entry.block.rows)


def _parts(entries: Sequence[MarketEntry], rows_max: int) -> Iterator[list[MarketEntry]]:
    """The entries in order, in parts of about `rows_max` rows; a block is never cut."""
    part: list[MarketEntry] = []
    rows = 0
    for entry in entries:
        part.append(entry)
        rows += rows_in(entry)
        if rows >= rows_max:
            yield part
            part, rows = [], 0
    if part:
        yield part


def _refusal(blocks: int) -> LoadReport:
    """What went to the dead letter whole, each block as one row."""
    return LoadReport(
        kind=MarketKind.REFUSED,
        total=blocks,
        new=0,
        repeated=0,
        refused=blocks,
        oldest_at=None,
        newest_at=None,
    )


def _refused(entry: MarketEntry, error: Exception) -> UnreadableEntry:
    return UnreadableEntry(
        stream=entry.stream,
        entry_id=entry.entry_id,
        epoch=entry.epoch,
        sequence=entry.sequence,
        text=repr(entry.block),
        reason=f"{entry.block.kind}: {error}",
    )
