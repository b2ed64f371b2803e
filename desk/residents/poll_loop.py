"""The loop around pollers: what is due is asked in workers, what comes back is taken in one thread.

Each poller has workers of its own, so a slow source delays nobody else. An answer that breaks (a mistake of
ours too) is a failed poll, never the end of the loop. A live state or a warehouse that is down is waited for.
Keep out: what is asked, what an answer means (`trading.feeds.poller`).
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from trading.errors import DeskError, FencedOutError, PermanentError
from trading.feeds.breaker import BreakerTransition
from trading.feeds.poller import Moment, Poll, Poller
from trading.ports.alerts import Alerts
from trading.ports.breaker_log import BreakerLog, BreakerOutbox
from trading.ports.feed_health import FeedBoard
from trading.ports.vendor_monitor import VendorMonitor
from trading.services.drain_breakers import drain_breakers
from trading.services.watch_feeds import FeedWatch, watch_feeds

TICK_S = 0.1  # between two looks at what is due and at what has come
DRAIN_EVERY_S = 5.0
CHANGES_KEPT_MAX = 5_000  # of breakers, while the live state is down
PAUSE_S = 1.0  # after an error of the live state

_log = logging.getLogger("desk.vendors")


class BrokenPollError(PermanentError):
    """A poll ended in an error that is none of ours: a mistake in the code; its log has where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlets:
    """Where the loop tells how feeds are; `beat` says that the process lives."""

    board: FeedBoard
    alerts: Alerts
    monitor: VendorMonitor
    breakers: BreakerOutbox
    log: BreakerLog
    beat: Callable[[], None]
    tell_every_s: float
    beat_every_s: float
    keep: Callable[[], None] = lambda: None  # the lease to write; raises FencedOutError where it is lost
    keep_every_s: float = 1.0


@dataclass(slots=True)
class _Hosted:
    """A poller, its workers, what is on its way."""

    poller: Poller
    workers: int
    executor: ThreadPoolExecutor
    asked: dict["Future[object]", Poll] = field(default_factory=dict)


class PollLoop:
    """Runs pollers until it is told to stop; `moment` is None while nobody knows the market's time."""

    def __init__(
        self,
        pollers: Sequence[tuple[Poller, int]],
        outlets: Outlets,
        moment: Callable[[], Moment | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hosted = [
            _Hosted(poller, workers, ThreadPoolExecutor(workers, thread_name_prefix=poller.source))
            for poller, workers in pollers
        ]
        self._outlets, self._moment, self._monotonic = outlets, moment, monotonic
        self._watch = FeedWatch()
        self._changes: deque[BreakerTransition] = deque(maxlen=CHANGES_KEPT_MAX)
        self._draining = ThreadPoolExecutor(1, thread_name_prefix="breakers")
        self._drain: Future[int] | None = None
        self._due_at: dict[str, float] = {}

    def run(self, stopping: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Go on until `stopping`; then nothing new is asked and what is on its way is left."""
        while not stopping():
            pause(TICK_S if self.round(TICK_S) else PAUSE_S)
        self.stop()

    def round(self, wait_s: float) -> bool:
        """Start what is due, take what has come; False where a service is away and a longer pause is due."""
        if self._is_due("beat", self._outlets.beat_every_s):
            self._outlets.beat()
        if self._is_due("keep", self._outlets.keep_every_s):
            self._outlets.keep()
        now = self._moment()
        if now is None:
            return False
        started = [self._start(hosted, now) for hosted in self._hosted]
        futures = [future for hosted in self._hosted for future in hosted.asked]
        if futures:
            wait(futures, timeout=wait_s, return_when=FIRST_COMPLETED)
        taken = [self._take(hosted) for hosted in self._hosted]
        is_well = all(started) and all(taken)
        if self._is_due("tell", self._outlets.tell_every_s):
            is_well = self._tell(now) and is_well
        self._drain_breakers()
        return is_well

    def stop(self) -> None:
        """Give the workers nothing more; what is on its way is left, and nothing of it is lost."""
        for hosted in self._hosted:
            hosted.executor.shutdown(wait=False, cancel_futures=True)
        self._draining.shutdown(wait=False, cancel_futures=True)

    def _start(self, hosted: _Hosted, now: Moment) -> bool:
        room = hosted.workers - len(hosted.asked)
        if room < 1:
            return True
        try:
            polls = hosted.poller.due(now, room)
        except DeskError as error:
            _log.warning("%s waits: %s", hosted.poller.source, error)
            return False
        for poll in polls:
            hosted.asked[hosted.executor.submit(poll.ask)] = poll
        return True

    def _take(self, hosted: _Hosted) -> bool:
        is_well = True
        for future in [future for future in hosted.asked if future.done()]:
            poll = hosted.asked.pop(future)
            now = self._moment()
            assert now is not None, "a clock that was known stays known"
            is_well = self._take_one(hosted.poller, poll, _answer_of(future, poll), now) and is_well
        return is_well

    def _take_one(self, poller: Poller, poll: Poll, answer: object | DeskError, now: Moment) -> bool:
        try:
            poller.take(poll, answer, now)
        except FencedOutError:
            raise
        except DeskError as error:
            _log.warning("not_published feed=%s symbol=%s error=%s", poll.feed, poll.symbol, error)
            return False
        except Exception as error:
            if isinstance(answer, BrokenPollError):
                raise  # not even that it failed could be taken
            return self._take_one(poller, poll, _broken(poll, error), now)
        return True

    def _tell(self, now: Moment) -> bool:
        """The board, the figures, the breakers' changes; each may fail without the others."""
        feeds = [feed for hosted in self._hosted for feed in hosted.poller.health(now)]
        for hosted in self._hosted:
            self._changes.extend(hosted.poller.take_changes())
        try:
            if self._changes:
                self._outlets.breakers.append(tuple(self._changes))
                self._changes.clear()
            for hosted in self._hosted:
                self._outlets.monitor.tell(hosted.poller.source, hosted.poller.metrics(now))
            watch_feeds(self._watch, self._outlets.board, self._outlets.alerts, feeds, now.market)
        except DeskError as error:
            _log.warning("not_told: %s", error)
            return False
        return True

    def _drain_breakers(self) -> None:
        """In a thread of its own: a warehouse that hangs delays no poll."""
        if self._drain is not None:
            if not self._drain.done():
                return
            error = self._drain.exception()
            if error is not None:
                _log.warning("breakers_wait: %s", error)
            self._drain = None
        if self._is_due("drain", DRAIN_EVERY_S):
            self._drain = self._draining.submit(drain_breakers, self._outlets.breakers, self._outlets.log)

    def _is_due(self, name: str, every_s: float) -> bool:
        now = self._monotonic()
        if now < self._due_at.get(name, float("-inf")):
            return False
        self._due_at[name] = now + every_s
        return True


def _answer_of(future: "Future[object]", poll: Poll) -> object | DeskError:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, DeskError):
        return error
    return _broken(poll, error)


def _broken(poll: Poll, error: BaseException) -> BrokenPollError:
    _log.error("poll_broke feed=%s symbol=%s", poll.feed, poll.symbol, exc_info=error)
    return BrokenPollError(f"{poll.feed} {poll.symbol}: {type(error).__name__}")
