"""Entries that are stored while what those before them say of fills is still being stored.

Storing an entry is one insert; storing what a batch says of fills is a dozen requests, seconds of them where
the warehouse is busy. Read only after it, an execution would wait for the fills of all before it. So the
fills are stored by a worker beside, and meanwhile what comes is read and stored as entries. The argument
stays that of `drain_outbox`: nothing is acknowledged before its fills are stored, and fills are stored batch
after batch in the order of the stream. What is here when something fails is forgotten: the reader gives all
of it again, in order, and to store an entry twice changes nothing.

Both ask the same warehouse, so storing ahead rests five times as long as it took, and costs the fills a sixth
of it at most: with two times, fills of a warehouse that had no processor left came half as late again.

An entry that is stored without its fills must not be judged by them: an answer about positions would know
executions that the fills do not. So it is known here up to when everything was stored (`stored_by`).

Belongs here: what was read ahead, and its bound. Keep out: threads (`beside` brings them), what is stored.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from trading.ports.clock import Clock
from trading.ports.outbox import OutboxBatch, OutboxReader

logger = logging.getLogger(__name__)

WAIT_S = 0.02  # for a new entry; the worker's end is noticed so late at most
RESTS = 5  # times as long as storing took
REST_MAX_S = 2.0
JUST_BEFORE = timedelta(microseconds=1)
Result = TypeVar("Result")
Told = TypeVar("Told", covariant=True)


class Underway(Protocol[Told]):
    """Work that a worker does: `concurrent.futures.Future` is one."""

    def done(self) -> bool:
        """Whether it has ended."""

    def result(self, timeout: float | None = None) -> Told:
        """Wait for its end; return or raise what it did, or TimeoutError where the time is over."""


class Beside(Protocol):
    """Starts work in one worker and returns at once: `submit` of an executor is one."""

    def __call__(self, work: Callable[[], Result], /) -> Underway[Result]:
        """Start it."""


class EntriesAhead:
    """What was read and stored while older entries were worked on, at most `entries_max` of them."""

    def __init__(
        self,
        reader: OutboxReader,
        store: Callable[[OutboxBatch], object],
        beside: Beside | None,
        clock: Clock,
        entries_max: int,
    ) -> None:
        self._reader, self._store, self._beside, self._clock = reader, store, beside, clock
        self._entries_max = entries_max
        self._batches: list[OutboxBatch] = []
        self._is_behind = True  # something stored before, by a life before too, may be without its fills
        self._since: datetime | None = None  # before which everything stored has its fills
        self._round_since: datetime | None = None  # the same of what this round stored ahead

    @property
    def stored_by(self) -> datetime | None:
        """The last moment by which all that was stored has its fills; None where all has."""
        return self._since

    def take(self) -> OutboxBatch | None:
        """All of it as one batch, which is stored; None where there is nothing."""
        batches, self._batches = self._batches, []
        if not batches:
            return None
        return OutboxBatch(
            entries=tuple(entry for batch in batches for entry in batch.entries),
            unreadable=tuple(entry for batch in batches for entry in batch.unreadable),
        )

    def forget(self) -> None:
        """The reader gives it again, before anything new."""
        self._batches, self._is_behind = [], True

    def round_ended(self, *, holds_no_more: bool) -> None:
        """The fills of a batch are stored, or it failed; `holds_no_more`: nothing else of before is held."""
        if holds_no_more:
            self._is_behind = False
        self._since = (self._since or self._round_since) if self._is_behind else self._round_since
        self._round_since = None

    def during(self, work: Callable[[], Result]) -> Result:
        """Do the work beside, and read and store until it has ended; without a worker just do it."""
        if self._beside is None or self._is_behind:
            return work()
        underway = self._beside(work)
        try:
            while not underway.done() and (room := self._room()):
                self._rest(underway, self._read(room))
        except Exception as error:  # noqa: BLE001 - the next round meets it again, with nothing beside
            logger.warning("not_read_ahead error=%s", error)
            self.forget()
        return underway.result()

    def _room(self) -> int:
        return self._entries_max - sum(len(batch.entry_ids) for batch in self._batches)

    def _read(self, room: int) -> float:
        """Read and store; the seconds that storing took."""
        batch = self._reader.read_new(room, WAIT_S)
        if not batch.entry_ids:
            return 0.0
        began = self._clock.now()
        self._round_since = self._round_since or began - JUST_BEFORE
        self._store(batch)
        self._batches.append(batch)
        return (self._clock.now() - began).total_seconds()

    def _rest(self, underway: Underway[object], took_s: float) -> None:
        """Leave the warehouse to the work beside, at most until that ends."""
        if took_s > 0:
            with suppress(TimeoutError):
                underway.result(min(took_s * RESTS, REST_MAX_S))
