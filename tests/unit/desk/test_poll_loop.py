"""The loop around pollers: workers of their own, no answer that ends it, services that are waited for."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from adapters.memory.alerts import MemoryAlerts
from adapters.memory.feed_board import MemoryFeedBoard
from adapters.memory.vendor import MemoryBreakerLog, MemoryBreakerOutbox, MemoryVendorMonitor
from desk.residents.poll_loop import BrokenPollError, Outlets, PollLoop
from trading.errors import DeskError, LiveStateUnavailableError, WarehouseUnavailableError
from trading.feeds.breaker import BreakerState, BreakerTransition
from trading.feeds.poller import Moment, Poll, Poller
from trading.ports.breaker_log import BreakerEntry
from trading.ports.feed_health import FeedHealth, FeedState

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
WAIT_S = 60.0  # until what must happen has happened


@dataclass(slots=True)
class Scripted(Poller):
    """Gives these polls once, and keeps what became of them."""

    name: str
    asks: list[Callable[[], object]] = field(default_factory=list)
    taken: list[object] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    due_error: DeskError | None = None
    take_error: Exception | None = None
    changes: list[BreakerTransition] = field(default_factory=list)

    @property
    def source(self) -> str:
        """Its name."""
        return self.name

    def due(self, now: Moment, most: int) -> Sequence[Poll]:
        """As many as fit."""
        self.rooms.append(most)
        if self.due_error is not None:
            raise self.due_error
        given, self.asks = self.asks[:most], self.asks[most:]
        return [Poll(feed="chain", symbol=self.name, ask=ask) for ask in given]

    def take(self, poll: Poll, answer: object | DeskError, now: Moment) -> None:
        """Keep it."""
        self.taken.append(answer)
        if self.take_error is not None:
            raise self.take_error

    def health(self, now: Moment) -> Sequence[FeedHealth]:
        """One feed."""
        return [
            FeedHealth(
                feed="chain", symbol="AAPL", source=self.name, state=FeedState.RUNNING, said_at=now.market
            )
        ]

    def metrics(self, now: Moment) -> Mapping[str, str]:
        """A figure."""
        return {"taken": str(len(self.taken))}

    def take_changes(self) -> Sequence[BreakerTransition]:
        """What there is."""
        given, self.changes = self.changes, []
        return given


@dataclass(slots=True)
class Desk:
    """A loop and all that it tells; `second` is its own clock."""

    pollers: list[tuple[Poller, int]]
    board: MemoryFeedBoard = field(default_factory=MemoryFeedBoard)
    monitor: MemoryVendorMonitor = field(default_factory=MemoryVendorMonitor)
    outbox: MemoryBreakerOutbox = field(default_factory=MemoryBreakerOutbox)
    log: MemoryBreakerLog = field(default_factory=MemoryBreakerLog)
    beats: list[float] = field(default_factory=list)
    second: float = 0.0
    knows_time: bool = True
    loop: PollLoop = field(init=False)

    def __post_init__(self) -> None:
        outlets = Outlets(
            board=self.board,
            alerts=MemoryAlerts(),
            monitor=self.monitor,
            breakers=self.outbox,
            log=self.log,
            beat=lambda: self.beats.append(self.second),
            tell_every_s=10,
            beat_every_s=2,
        )
        self.loop = PollLoop(self.pollers, outlets, self.moment, lambda: self.second)

    def moment(self) -> Moment | None:
        """Both clocks alike."""
        now = NOON + timedelta(seconds=self.second)
        return Moment(market=now, machine=now) if self.knows_time else None

    def until(self, done: Callable[[], bool], step_s: float = 0.1) -> None:
        """Go round until it is so."""
        for _ in range(int(WAIT_S / 0.01)):
            self.loop.round(0.01)
            self.second += step_s
            if done():
                return
            threading.Event().wait(0.001)
        raise AssertionError("expected it to happen within the rounds")


def change(number: int = 0) -> BreakerTransition:
    """A breaker opens."""
    return BreakerTransition(
        source="x",
        feed="chain",
        symbol="AAPL",
        at=NOON + timedelta(seconds=number),
        was=BreakerState.CLOSED,
        becomes=BreakerState.OPEN,
        failures=3,
        reason="status 500",
    )


def fails(error: Exception) -> Callable[[], object]:
    """An ask that raises."""

    def ask() -> object:
        raise error

    return ask


def test_answers_errors_and_mistakes_all_come_back() -> None:
    """What is due is asked in workers; even a mistake in the code is a failed poll and not the end."""
    told = LiveStateUnavailableError("away")
    poller = Scripted("a", [lambda: "rows", fails(told), fails(KeyError("S3CRET")), lambda: "more"])
    desk = Desk([(poller, 2)])
    desk.until(lambda: len(poller.taken) == 4)
    desk.loop.stop()
    assert {answer for answer in poller.taken if isinstance(answer, str)} == {"rows", "more"}
    assert told in poller.taken
    (broken,) = [answer for answer in poller.taken if isinstance(answer, BrokenPollError)]
    assert str(broken) == "chain a: KeyError"
    assert max(poller.rooms) == 2


def test_a_slow_source_delays_nobody_else() -> None:
    """All workers of one wait for its server; the other's answers come."""
    gate = threading.Event()
    slow = Scripted("slow", [gate.wait] * 8)
    quick = Scripted("quick", [lambda place=place: place for place in range(20)])
    desk = Desk([(slow, 2), (quick, 2)])
    desk.until(lambda: len(quick.taken) == 20)
    assert slow.taken == []
    assert desk.loop.round(0) is True
    gate.set()
    desk.until(lambda: len(slow.taken) == 8)
    desk.loop.stop()


def test_a_poller_that_cannot_count_or_publish_stops_no_other() -> None:
    """Its error is a reason to pause; the loop goes on with the rest."""
    away = Scripted("away", due_error=LiveStateUnavailableError("no ledger"))
    full = Scripted("full", [lambda: 1], take_error=LiveStateUnavailableError("no sink"))
    good = Scripted("good", [lambda: 2, lambda: 3])
    desk = Desk([(away, 1), (full, 1), (good, 1)])
    assert desk.loop.round(0) is False
    desk.until(lambda: len(good.taken) == 2 and len(full.taken) == 1)
    desk.loop.stop()


def test_an_answer_that_cannot_be_taken_is_a_failed_poll() -> None:
    """A mistake of ours in what follows an answer ends neither the loop nor the other feeds."""

    @dataclass(slots=True)
    class Stumbles(Scripted):
        def take(self, poll: Poll, answer: object | DeskError, now: Moment) -> None:
            self.taken.append(answer)
            if answer == "odd":
                raise OverflowError("odd")

    poller, good = Stumbles("a", [lambda: "odd", lambda: "rows"]), Scripted("b", [lambda: 2])
    desk = Desk([(poller, 1), (good, 1)])
    desk.until(lambda: "rows" in poller.taken and good.taken == [2])
    desk.loop.stop()
    assert [str(answer) for answer in poller.taken] == ["odd", "chain a: OverflowError", "rows"]


def test_without_the_markets_time_nothing_is_asked() -> None:
    """A gateway that has not answered yet: the process lives and waits."""
    poller = Scripted("a", [lambda: 1])
    desk = Desk([(poller, 1)])
    desk.knows_time = False
    assert desk.loop.round(0) is False
    assert poller.rooms == []
    assert desk.beats == [0.0]
    desk.loop.stop()


def test_feeds_figures_and_breakers_are_told_every_ten_seconds() -> None:
    """On the board, in the vendor's figures, and in the warehouse by way of the outbox."""
    poller = Scripted("a", changes=[change()])
    desk = Desk([(poller, 1)])
    desk.until(lambda: bool(desk.log.kept) and len(desk.beats) > 2, step_s=1.0)
    desk.loop.stop()
    assert [feed.source for feed in desk.board.feeds()] == ["a"]
    assert desk.monitor.vendors == {"a": {"taken": "0"}}
    assert list(desk.log.kept.values()) == [change()]
    assert desk.outbox.entries == {}
    assert desk.beats[1] - desk.beats[0] == pytest.approx(2.0)


def test_changes_wait_for_a_live_state_and_a_warehouse_that_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither loses one: they are kept here, then in the outbox, until the table has them."""
    poller = Scripted("a", changes=[change(1), change(2)])
    desk = Desk([(poller, 1)])
    is_away = {"outbox": True, "log": True}
    append, record = MemoryBreakerOutbox.append, MemoryBreakerLog.record

    def try_append(self: MemoryBreakerOutbox, told: Sequence[BreakerTransition]) -> None:
        if is_away["outbox"]:
            raise LiveStateUnavailableError("away")
        append(self, told)

    def try_record(self: MemoryBreakerLog, told: Sequence[BreakerEntry]) -> None:
        if is_away["log"]:
            raise WarehouseUnavailableError("away")
        record(self, told)

    monkeypatch.setattr(MemoryBreakerOutbox, "append", try_append)
    monkeypatch.setattr(MemoryBreakerLog, "record", try_record)
    assert desk.loop.round(0) is False
    is_away["outbox"] = False
    desk.until(lambda: len(desk.outbox.entries) == 2, step_s=1.0)
    for _ in range(20):
        desk.second += 5
        desk.loop.round(0)
    assert len(desk.outbox.entries) == 2
    is_away["log"] = False
    desk.until(lambda: not desk.outbox.entries, step_s=1.0)
    desk.loop.stop()
    assert list(desk.log.kept.values()) == [change(1), change(2)]


def test_it_ends_when_it_is_told_to() -> None:
    """Nothing new is asked; what is on its way is left."""
    desk = Desk([(Scripted("a"), 1)])
    pauses: list[float] = []
    desk.loop.run(lambda: len(pauses) == 3, pauses.append)
    assert pauses == [0.1, 0.1, 0.1]
