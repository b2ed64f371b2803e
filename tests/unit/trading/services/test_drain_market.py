"""The market's drain: each block once, nothing acknowledged unstored, a bad block stops no other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from alert_ends import shows_the_end_of
from drain_samples import SteppingClock
from market_samples import OPEN, chain, entry, quote

from adapters.memory.feed_board import MemoryFeedBoard
from adapters.memory.market_store import MemoryMarketStore
from desk.residents.life import PAUSE_MAX_S
from desk.residents.market_drain import run_market_drain
from trading.errors import DeskError, LiveStateUnavailableError, WarehouseError, WarehouseUnavailableError
from trading.model.market import MarketEntry, MarketKind
from trading.ports.alerts import Alerts
from trading.ports.batch_log import BatchLog, BatchNote
from trading.ports.feed_health import FEED_LIFE_S, FeedHealth, FeedState
from trading.ports.market_outbox import MarketBatch, MarketOutboxReader
from trading.ports.market_store import LoadReport
from trading.ports.metric_store import MetricStore, Sample
from trading.ports.outbox import OutboxBacklog, UnreadableEntry
from trading.services.drain_market import (
    BACKLOG_EVERY,
    CLAIM_AFTER_S,
    PAUSE_S,
    REFUSED_ALERT,
    STUCK_ALERT,
    TRIES_MAX,
    MarketDrain,
    MarketDrainTools,
)

BAD = UnreadableEntry(stream="s", entry_id="9-0", epoch="e", sequence=9, text="?", reason="no JSON")


class Told(Alerts):
    """Keeps what a person would see."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.open: set[str] = set()

    def raise_alert(self, code: str, text: str) -> bool:
        """Keep it."""
        self.codes.append(code)
        self.open.add(code)
        return True

    def end_alert(self, code: str, by: str) -> bool:
        """It is open no more."""
        self.open.discard(code)
        return True


@dataclass(slots=True)
class Stream(MarketOutboxReader):
    """One consumer's view of an outbox: what was given and not acknowledged comes again as a repeat."""

    waiting: list[MarketEntry] = field(default_factory=list)
    unreadable: list[UnreadableEntry] = field(default_factory=list)
    given: list[MarketEntry] = field(default_factory=list)
    claims: list[float] = field(default_factory=list)
    looks: int = 0

    def read(self, blocks_max: int, wait_s: float) -> MarketBatch:
        """What is held, else what is new."""
        if self.given:
            return MarketBatch(entries=tuple(self.given), is_repeat=True)
        self.given, self.waiting = self.waiting[:blocks_max], self.waiting[blocks_max:]
        return MarketBatch(entries=tuple(self.given), unreadable=tuple(self.unreadable))

    def claim(self, blocks_max: int, idle_s: float) -> int:
        """Nothing is left."""
        self.claims.append(idle_s)
        return 0

    def ack(self, entries: Sequence[MarketEntry | UnreadableEntry]) -> int:
        """Forget them."""
        names = {one.entry_id for one in entries}
        self.given = [one for one in self.given if one.entry_id not in names]
        self.unreadable = [one for one in self.unreadable if one.entry_id not in names]
        return len(entries)

    def backlog(self) -> OutboxBacklog:
        """What waits."""
        self.looks += 1
        return OutboxBacklog(
            entries=len(self.waiting) + len(self.given), given=len(self.given), oldest_at=None
        )


class Picky(MemoryMarketStore):
    """Refuses blocks that hold a price of -7, and everything while it is broken or down."""

    error: DeskError | None = None
    calls: list[tuple[int, bool]]

    def record(
        self, entries: Sequence[MarketEntry], unreadable: Sequence[UnreadableEntry], *, is_repeat: bool
    ) -> Sequence[LoadReport]:
        """As the warehouse would."""
        self.calls.append((len(entries), is_repeat))
        if self.error is not None:
            raise self.error
        if any(getattr(row, "bid", None) == -7 for one in entries for row in one.block.rows):
            raise WarehouseError("bid")
        return super().record(entries, unreadable, is_repeat=is_repeat)


@dataclass(slots=True)
class Kept(MetricStore):
    """Keeps samples, or refuses."""

    samples: list[Sample] = field(default_factory=list)
    is_away: bool = False

    def record(self, samples: Sequence[Sample]) -> None:
        """Keep them."""
        if self.is_away:
            raise WarehouseUnavailableError("away")
        self.samples += samples


@dataclass(slots=True)
class Noted(BatchLog):
    """Keeps bundles, or refuses."""

    bundles: list[Sequence[BatchNote]] = field(default_factory=list)
    is_away: bool = False

    def record(self, notes: Sequence[BatchNote]) -> None:
        """Keep them."""
        if self.is_away:
            raise WarehouseUnavailableError("away")
        self.bundles.append(notes)


@dataclass(slots=True)
class Bench:
    """A drain and all that it touches."""

    stream: Stream = field(default_factory=Stream)
    store: Picky = field(default_factory=Picky)
    clock: SteppingClock = field(default_factory=SteppingClock)
    alerts: Told = field(default_factory=Told)
    board: MemoryFeedBoard = field(default_factory=MemoryFeedBoard)
    metrics: Kept = field(default_factory=Kept)
    batches: Noted = field(default_factory=Noted)
    drain: MarketDrain = field(init=False)

    def __post_init__(self) -> None:
        """With ten rows in a part and five blocks in a read."""
        self.store.calls = []
        tools = MarketDrainTools(
            reader=self.stream,
            store=self.store,
            clock=self.clock,
            alerts=self.alerts,
            board=self.board,
            metrics=self.metrics,
            batches=self.batches,
        )
        self.drain = MarketDrain(tools, blocks_max=5, rows_max=10)

    def stored(self) -> int:
        """Rows of quotes in the store."""
        return len(self.store.rows(MarketKind.QUOTE))


def quotes(number: int, rows: int = 1, bid: str = "5") -> MarketEntry:
    """A block of quotes."""
    return entry(MarketKind.QUOTE, *(quote(number + n / 100, bid) for n in range(rows)), number=number)


def test_what_every_feed_says_is_kept_with_its_time() -> None:
    """At each look the whole board, the drain's own line too; a store that is away holds no block up."""
    bench = Bench()
    spy = FeedHealth(
        feed="quotes", symbol="SPY", source="ibkr", state=FeedState.STALE, said_at=OPEN, age_s=7.5, rows=3
    )
    bench.board.say([spy])
    bench.drain.drain_once(0)
    of_spy = {sample.name: sample.value for sample in bench.metrics.samples if sample.symbol == "SPY"}
    assert of_spy == {
        **dict.fromkeys(("rows_per_s", "refused", "errors", "reconnects"), 0),
        "age_s": 7.5,
        "rows": 3,
        "stands_still": 1,
    }
    assert {sample.at for sample in bench.metrics.samples if sample.symbol == "SPY"} == {OPEN}
    assert {sample.source for sample in bench.metrics.samples} == {"ibkr", "market-drain"}
    bench.metrics.is_away = True
    bench.clock.at += BACKLOG_EVERY
    bench.stream.waiting = [quotes(1)]
    assert bench.drain.drain_once(0).rows == 1


def test_what_each_batch_did_is_told_together_every_ten_seconds_and_at_the_end() -> None:
    """Blocks that were refused are counted with the rest; a round without blocks is no batch."""
    bench = Bench()
    bench.drain.drain_once(0)  # the first look
    for number in (1, 2):
        bench.stream.waiting = [quotes(number, rows=2)]
        bench.drain.drain_once(0)
    assert bench.batches.bundles == []
    bench.clock.at += BACKLOG_EVERY
    bench.drain.drain_once(0)
    assert [[note.rows for note in bundle] for bundle in bench.batches.bundles] == [[2, 2]]
    bench.batches.is_away = True
    bench.stream.waiting = [quotes(3), quotes(4, bid="-7")]
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(WarehouseError):
            bench.drain.drain_once(0)
    bench.drain.drain_once(0)
    bench.drain.tell_notes()
    bench.batches.is_away = False
    bench.drain.tell_notes()
    ((note,),) = bench.batches.bundles[1:]
    assert (note.rows, note.new, note.repeated, note.refused) == (2, 1, 0, 1)
    assert note.sources == ("ibkr",)


def test_what_is_stored_is_acknowledged_and_what_waits_comes_next() -> None:
    """Five blocks a read; a read that was full says that there is more."""
    bench = Bench()
    bench.stream.waiting = [quotes(n) for n in range(1, 8)]
    first, second, third = (bench.drain.drain_once(0) for _ in range(3))
    assert [(one.blocks, one.rows, one.is_full) for one in (first, second, third)] == [
        (5, 5, True),
        (2, 2, False),
        (0, 0, False),
    ]
    assert (bench.stored(), bench.stream.given) == (7, [])


def test_a_large_batch_is_stored_in_parts_of_bounded_size() -> None:
    """A part ends with the block that fills it; a chain counts its contracts."""
    bench = Bench()
    bench.stream.waiting = [
        quotes(1, 4),
        quotes(2, 7),
        entry(MarketKind.CHAIN, chain(), number=3),
        quotes(4, 4),
    ]
    assert bench.drain.drain_once(0).rows == 21
    assert bench.store.calls == [(2, False), (2, False)]


def test_a_warehouse_that_is_down_acknowledges_nothing() -> None:
    """The error is raised, the batch is held, and comes again as a repeat."""
    bench = Bench()
    bench.stream.waiting = [quotes(1), quotes(2)]
    bench.store.error = WarehouseUnavailableError("down")
    for _ in range(2 * TRIES_MAX):
        with pytest.raises(WarehouseUnavailableError):
            bench.drain.drain_once(0)
    assert len(bench.stream.given) == 2
    bench.store.error = None
    report = bench.drain.drain_once(0)
    assert (report.blocks, report.rows, bench.store.calls[-1]) == (2, 2, (2, True))
    assert bench.stream.given == []
    assert bench.alerts.codes == []


def test_a_bad_block_is_found_by_halving_and_goes_away_alone() -> None:
    """After some rounds; it is in the dead letter, its neighbors are stored, and a person is told."""
    bench = Bench()
    bench.stream.waiting = [quotes(1), quotes(2), quotes(3, bid="-7"), quotes(4), quotes(5)]
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(WarehouseError):
            bench.drain.drain_once(0)
    bench.drain.drain_once(0)
    assert (bench.stored(), bench.stream.given) == (4, [])
    assert list(bench.store.letters.values()) == ["quote: bid"]
    assert bench.alerts.codes == [REFUSED_ALERT]


def test_each_refusal_has_all_its_tries() -> None:
    """Those of a refusal that is over do not count: a moment's trouble of the warehouse costs no block."""
    bench = Bench()
    for number in (1, 3):
        bench.stream.waiting = [quotes(number), quotes(number + 1, bid="-7")]
        for _ in range(TRIES_MAX - 1):
            with pytest.raises(WarehouseError):
                bench.drain.drain_once(0)
        bench.drain.drain_once(0)
    assert (len(bench.store.letters), bench.stored()) == (2, 2)


@shows_the_end_of("market_drain_stuck")
def test_a_warehouse_that_refuses_everything_sends_nothing_away() -> None:
    """A table that is missing is not the blocks' fault: nothing is refused, and a person is told."""
    bench = Bench()
    bench.stream.waiting = [quotes(1), quotes(2)]
    bench.drain.drain_once(0)
    bench.stream.waiting = [quotes(3), quotes(4)]
    bench.store.error = WarehouseError("no such table")
    for _ in range(2 * TRIES_MAX):
        with pytest.raises(WarehouseError):
            bench.drain.drain_once(0)
    assert (bench.store.letters, len(bench.stream.given)) == ({}, 2)
    assert set(bench.alerts.codes) == bench.alerts.open == {STUCK_ALERT}
    bench.store.error = None
    bench.drain.drain_once(0)
    assert not bench.alerts.open


def test_a_batch_of_bad_blocks_only_is_refused_where_the_warehouse_proves_well() -> None:
    """What was stored before is stored again, which changes nothing and shows that it is the blocks."""
    bench = Bench()
    bench.stream.waiting = [quotes(1)]
    bench.drain.drain_once(0)
    bench.stream.waiting = [quotes(2, bid="-7")]
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(WarehouseError):
            bench.drain.drain_once(0)
    bench.drain.drain_once(0)
    assert (len(bench.store.letters), bench.stored(), bench.stream.given) == (1, 1, [])


def test_an_entry_that_is_no_block_is_a_letter() -> None:
    """It is stored as one, acknowledged, and told."""
    bench = Bench()
    bench.stream.unreadable = [BAD]
    report = bench.drain.drain_once(0)
    assert (report.unreadable, len(bench.store.letters), bench.stream.unreadable) == (1, 1, [])
    assert bench.alerts.codes == [REFUSED_ALERT]


def test_blocks_of_a_consumer_that_died_are_claimed_and_the_backlog_is_looked_at() -> None:
    """Every ten seconds, what was left for thirty."""
    bench = Bench()
    for _ in range(3):
        bench.drain.drain_once(0)
    assert (bench.stream.claims, bench.stream.looks) == ([CLAIM_AFTER_S], 1)
    bench.clock.at += timedelta(seconds=11)
    bench.drain.drain_once(0)
    assert (bench.stream.claims, bench.stream.looks) == ([CLAIM_AFTER_S] * 2, 2)
    assert bench.drain.backlog is not None
    assert bench.drain.backlog.entries == 0


def test_the_board_says_how_much_waits_and_how_fast_it_goes() -> None:
    """A row of its own among the feeds, told again before it would go."""
    bench = Bench()
    bench.stream.waiting = [quotes(n, rows=2) for n in range(1, 8)]
    bench.drain.drain_once(0)
    (told,) = bench.board.feeds()
    assert (told.source, told.rows, told.rows_per_s) == ("market-drain", 10, 1.0)
    assert told.text == "2 blocks wait for the warehouse"
    assert BACKLOG_EVERY.total_seconds() < FEED_LIFE_S


def test_the_process_beats_waits_for_services_and_paces_its_batches() -> None:
    """A pause after a batch that was not full; ever longer ones, to a bound, while a service is down."""
    bench = Bench()
    bench.stream.waiting = [quotes(n) for n in range(1, 7)]
    pauses: list[float] = []
    beats: list[int] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        bench.store.error = LiveStateUnavailableError("down") if len(pauses) < 9 else None
        bench.stream.waiting += [quotes(10 + len(pauses))]

    run_market_drain(bench.drain, lambda: beats.append(1), lambda: len(beats) == 12, pause)
    assert pauses[0] == PAUSE_S, "the first read was full, the second was not"
    assert pauses[1:4] == [0.2, 0.4, 0.8]
    assert max(pauses) == PAUSE_MAX_S
    assert len(beats) == 12


def test_what_was_told_last_is_stored_before_the_process_ends() -> None:
    """The feeds end first; their last words are not left for whoever comes back."""
    bench = Bench()
    bench.stream.waiting = [quotes(n) for n in range(1, 4)]
    run_market_drain(bench.drain, lambda: None, lambda: True, lambda _: None)
    assert not bench.stream.waiting
