"""The drain: each entry once, fees that wait for their fill, nothing lost by any failure at any place."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alert_ends import shows_the_end_of
from drain_samples import (
    ACCOUNTS,
    OPEN,
    SteppingClock,
    answer,
    commission,
    day_of_events,
    day_of_messages,
    event,
    execution,
    message,
    order,
    ordered,
    position,
    swept,
)

from adapters.ibkr.live_messages import LiveMessages
from adapters.memory.broker_events import MemoryBrokerEventStore
from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.outbox import MemoryOutbox, MemoryOutboxReader, MemoryStream
from trading.errors import (
    InvalidFieldError,
    LiveStateUnavailableError,
    WarehouseError,
    WarehouseUnavailableError,
)
from trading.model.broker import BrokerEvent, BrokerEventKind
from trading.model.fills import Fill, FillBatch, Source, Venue
from trading.ports.alerts import Alerts
from trading.services.drain_fills import FillTools
from trading.services.drain_outbox import REFUSED_ALERT, STUCK_ALERT, TRIES_MAX, DrainTools, OutboxDrain
from trading.services.entries_ahead import Beside

DAY = OPEN.date()


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
class Desk:
    """An outbox and all that it is drained into, in memory; processes come and go, this stays."""

    stream: MemoryStream = field(default_factory=MemoryStream)
    fills: MemoryFillStore = field(default_factory=MemoryFillStore)
    live_state: MemoryLiveState = field(default_factory=MemoryLiveState)
    clock: SteppingClock = field(default_factory=SteppingClock)
    watched: list[int] = field(default_factory=list)
    alerts: Told = field(default_factory=Told)
    events: MemoryBrokerEventStore = field(init=False)
    outbox: MemoryOutbox = field(init=False)

    def __post_init__(self) -> None:
        """The stores that stand on others."""
        self.events = MemoryBrokerEventStore(self.fills)
        self.outbox = MemoryOutbox(self.stream)

    def tell(self, *events: BrokerEvent) -> None:
        """Append these."""
        self.outbox.append(events)

    def drain(
        self,
        entries_max: int = 100,
        around: Callable[[Any], Any] = lambda port: port,
        name: str = "a",
        beside: Beside | None = None,
    ) -> OutboxDrain:
        """A process that starts; `around` stands between it and each of its ports."""
        fills = FillTools(
            messages=LiveMessages(),
            events=around(self.events),
            fills=around(self.fills),
            clock=self.clock,
        )
        tools = DrainTools(
            reader=around(MemoryOutboxReader(self.stream, name)),
            fills=fills,
            live_state=around(self.live_state),
            on_positions=lambda _: self.watched.append(1),
            alerts=self.alerts,
            beside=beside,
        )
        return OutboxDrain(tools, entries_max)

    def standing(self) -> list[Fill]:
        """Every fill of every account."""
        return [fill for name in ACCOUNTS for fill in self.fills.fills(Venue.IBKR, name, [DAY])]

    def everything(self) -> tuple[Any, ...]:
        """All that the warehouse would hold."""
        return (
            self.standing(),
            sorted(self.fills.rejected),
            sorted((row.account, row.start, row.end) for row in self.fills.coverage),
            sorted(self.events.entries),
            self.events.orders(),
            self.events.positions(),
            self.events.account_values(),
            self.events.gaps(),
        )


@pytest.fixture
def desk() -> Desk:
    """An empty desk."""
    return Desk()


def drained(desk: Desk, entries_max: int = 100) -> None:
    """A process that takes all there is."""
    drain = desk.drain(entries_max)
    while desk.stream.entries:
        drain.drain_once(0)


def test_a_fill_and_its_fee_end_in_one_fill_with_a_fee(desk: Desk) -> None:
    """Live, and once more in the same-day answer: one fill, and nothing is left in the outbox."""
    desk.tell(message(execution("a.b.01.01")), message(commission("a.b.01.01")))
    desk.tell(message(["11", "9001", *execution("a.b.01.01")[2:]]), message(commission("a.b.01.01")))
    report = desk.drain().drain_once(0)
    (fill,) = desk.standing()
    assert fill.revision.source is Source.SAME_DAY
    assert fill.fee == Decimal("1.3")
    assert (report.entries, report.waiting) == (4, 0)
    assert not desk.stream.entries


@pytest.mark.parametrize("restart", [False, True])
def test_a_fee_before_its_fill_waits_for_it(desk: Desk, restart: bool) -> None:
    """Acknowledged, in no dead letter, and settled with the fill, also by a process that never saw it."""
    desk.tell(message(commission("a.b.01.01")))
    drain = desk.drain()
    assert drain.drain_once(0).waiting == 1
    assert not desk.stream.entries
    assert not desk.fills.rejected
    if restart:
        drain = desk.drain()
        drain.drain_once(0)
    desk.tell(message(execution("a.b.01.01", "DU2")))
    drain.drain_once(0)
    (fill,) = desk.standing()
    assert (fill.revision.account, fill.fee) == ("DU2", Decimal("1.3"))
    assert desk.events.waiting(OPEN - timedelta(days=1)) == 0


def test_a_fee_after_its_fill_finds_the_account_in_the_warehouse(desk: Desk) -> None:
    """The process that stored the fill is gone; another one asks."""
    desk.tell(message(execution("a.b.01.01", "DU2")))
    drained(desk)
    desk.tell(message(commission("a.b.01.01")))
    drained(desk)
    assert desk.standing()[0].fee == Decimal("1.3")


def test_a_fee_whose_fill_comes_by_a_file_is_settled_within_a_minute(desk: Desk) -> None:
    """The drain looks while something waits."""
    drain = desk.drain()
    desk.tell(message(commission("a.b.01.01")))
    drain.drain_once(0)
    batch = LiveMessages().batch([execution("a.b.01.01")], {}, "a file")
    desk.fills.record(batch, OPEN)
    drain.drain_once(0)
    assert desk.standing()[0].fees == {}
    desk.clock.at += timedelta(seconds=61)
    drain.drain_once(0)
    assert desk.standing()[0].fee == Decimal("1.3")


def test_the_fee_of_a_combination_waits_for_nothing(desk: Desk) -> None:
    """Before, with and after the combination's execution: its legs carry the fees."""
    drain = desk.drain()
    desk.tell(message(commission("c.01")), message(commission("d.01.01")))
    drain.drain_once(0)
    desk.tell(message(execution("c.01", secType="BAG")), message(commission("c.01")))
    drain.drain_once(0)
    desk.tell(message(commission("c.01")))
    assert desk.drain().drain_once(0).waiting == 0
    assert desk.events.waiting(OPEN - timedelta(days=1)) == 1
    assert not desk.fills.rejected


def test_a_report_that_is_repeated_every_minute_does_not_pile_up(desk: Desk) -> None:
    """Each wording waits once; another wording of the same report waits beside it."""
    drain = desk.drain()
    for _ in range(50):
        desk.tell(message(commission("a.b.01.01")), message(commission("a.b.01.01", "1.4")))
        drain.drain_once(0)
    assert [len(same) for same in drain._fills._waiting.values()] == [2]
    desk.tell(message(execution("a.b.01.01")))
    drain.drain_once(0)
    assert desk.standing()[0].fee in (Decimal("1.3"), Decimal("1.4"))


def test_a_complete_answer_covers_its_interval_and_a_broken_one_nothing(desk: Desk) -> None:
    """By account, as same-day query; the hole between two sessions stays."""
    hour = timedelta(hours=1)
    desk.tell(swept(OPEN, OPEN + hour), swept(OPEN + 2 * hour, OPEN + 3 * hour, "partial"))
    drained(desk)
    holes = desk.events.coverage_holes(Venue.IBKR, ACCOUNTS, OPEN, OPEN + 3 * hour)
    assert [(hole.account, hole.start, hole.end) for hole in holes] == [
        (name, OPEN + hour, OPEN + 3 * hour) for name in ACCOUNTS
    ]


POISON: dict[str, BrokerEvent] = {
    "no fields": event(BrokerEventKind.MESSAGE, {}),
    "fields that are numbers": event(BrokerEventKind.MESSAGE, {"fields": [11, -1]}),
    "an unreadable execution": message(execution("x.y.01.01", shares="many")),
    "an execution cut short": message(execution("x.y.01.01")[:12]),
    "a message of another kind": message(["4", "2", "-1", "2104", "ok"]),
    "an answer without its times": answer("executions", from_at="yesterday", to_at=None),
    "an answer without accounts": answer(
        "executions", from_at=OPEN.isoformat(), to_at=(OPEN + timedelta(hours=1)).isoformat(), accounts=7
    ),
    "positions that are none": answer("positions", rows=[], completeness="complete", accounts=[3]),
    "positions with a float": event(
        BrokerEventKind.ANSWER,
        {"question": "positions", "completeness": "complete", "rows": [{"account": "DU1", "quantity": 1.5}]},
    ),
    "an order that is none": event(BrokerEventKind.ORDER, {"perm_id": 7}),
    "a figure that is none": event(BrokerEventKind.ACCOUNT_VALUE, {"account": "DU1"}),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_poisoned_entry_stops_no_other(desk: Desk, poison: BrokerEvent) -> None:
    """What is around it is stored, and it is acknowledged."""
    desk.tell(message(execution("a.b.01.01")), poison, message(commission("a.b.01.01")))
    report = desk.drain().drain_once(0)
    assert report.entries == 3
    assert [fill.fee for fill in desk.standing()] == [Decimal("1.3")]
    assert not desk.stream.entries
    assert len(desk.events.entries) == 3


IN_FILL_DEAD_LETTER = ("an unreadable execution", "an execution cut short", "a message of another kind")


@pytest.mark.parametrize("name", [name for name in POISON if name not in IN_FILL_DEAD_LETTER])
def test_a_poisoned_entry_is_in_the_dead_letter_with_its_payload(desk: Desk, name: str) -> None:
    """With where it lay and why it was refused."""
    desk.tell(POISON[name])
    assert desk.drain().drain_once(0).refused == 1
    assert desk.alerts.codes == [REFUSED_ALERT]
    (refused,) = desk.events.refused.values()
    assert repr(dict(POISON[name].payload)) == refused.text
    assert "expected" in refused.reason


def test_an_unreadable_entry_is_kept_refused_and_acknowledged(desk: Desk) -> None:
    """It is no gap in the numbers of its neighbors."""
    desk.tell(message(execution("a.b.01.01")))
    desk.outbox.append_unreadable("{")
    report = desk.drain().drain_once(0)
    assert (report.entries, report.unreadable) == (1, 1)
    assert [entry.text for entry in desk.events.refused.values()] == ["{"]
    assert not desk.stream.entries


class Failing:
    """Stands before a port and fails its n-th call, counted over all ports of a process."""

    def __init__(self, at: int, error: Exception, *, after: bool) -> None:
        self.calls, self.at, self.error, self.after = 0, at, error, after

    def around(self, port: Any) -> Any:
        """The port, through this."""
        failing = self

        class Through:
            def __getattr__(self, name: str) -> Any:
                method = getattr(port, name)

                def called(*arguments: Any, **named: Any) -> Any:
                    failing.calls += 1
                    if failing.calls == failing.at and not failing.after:
                        raise failing.error
                    answered = method(*arguments, **named)
                    if failing.calls == failing.at:
                        raise failing.error
                    return answered

                return called

        return Through()


class LateWork:
    """Work beside that begins when it is waited for: two reads come before it, in one thread."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self._looks = work, 0

    def done(self) -> bool:
        """After two looks."""
        self._looks += 1
        return self._looks > 2

    def result(self, timeout: float | None = None) -> Any:
        """Do it."""
        if timeout is not None:
            raise TimeoutError
        return self._work()


class Killed(BaseException):
    """The process is gone, in the middle of a call."""


def whole_run(events: Sequence[BrokerEvent], failing: Failing, beside: Beside | None = None) -> Desk:
    """Tell all, drain with the failure in it by one process, then by a second one to the end."""
    desk = Desk()
    desk.outbox.append(events)
    first = desk.drain(7, failing.around, beside=beside)
    try:
        while desk.stream.entries:
            try:
                first.drain_once(0)
            except (WarehouseUnavailableError, LiveStateUnavailableError):
                continue
    except Killed:
        drained(desk, 11)
    desk.clock.at += timedelta(minutes=2)
    desk.drain().drain_once(0)
    return desk


@pytest.mark.parametrize("beside", [None, LateWork], ids=["one after the other", "entries read ahead"])
@pytest.mark.parametrize("after", [False, True], ids=["before the call", "after the call"])
@pytest.mark.parametrize("error", [Killed(), WarehouseUnavailableError("down")], ids=["kill", "outage"])
def test_a_kill_or_an_outage_at_any_call_changes_nothing_in_the_end(
    error: Exception, after: bool, beside: Beside | None
) -> None:
    """At each call to each port in turn: the stores end as in a run without any."""
    events = day_of_events(seed=3, fills=6)
    truth = whole_run(events, Failing(0, error, after=after)).everything()
    place = 0
    while True:
        place += 1
        failing = Failing(place, error, after=after)
        assert whole_run(events, failing, beside).everything() == truth, f"call {place}"
        if failing.calls < place:
            break
    assert place > 35


@pytest.mark.parametrize("seed", range(6))
def test_any_order_cut_and_repetition_ends_in_one_state(seed: int) -> None:
    """Shuffled, cut into other batches, delivered twice: the fills and fees are those of one file."""
    rng = random.Random(seed)
    messages = day_of_messages(seed, 40)
    truth = MemoryFillStore()
    truth.record(LiveMessages().batch(messages, {}, "all at once"), OPEN)
    desk = Desk()
    rng.shuffle(messages)
    while messages:
        for _ in range(rng.randint(1, 30)):
            if messages:
                desk.tell(message(messages.pop()))
        kept = dict(desk.stream.entries)
        desk.drain(rng.randint(1, 20)).drain_once(0)
        if rng.random() < 0.4:  # acknowledged, and delivered again all the same
            again = rng.sample(sorted(kept), k=min(5, len(kept)))
            desk.stream.entries.update({name: kept[name] for name in again})
    drained(desk)
    desk.clock.at += timedelta(minutes=2)
    desk.drain().drain_once(0)
    expected = [fill for name in ACCOUNTS for fill in truth.fills(Venue.IBKR, name, [DAY])]
    assert desk.standing() == expected
    assert len(expected) == 40
    assert all(fill.fee > 0 for fill in expected)
    assert desk.events.gaps() == []


def test_two_drains_at_once_end_in_the_state_of_one() -> None:
    """Each gets other entries, so fees and their fills part; within a minute all is together."""
    events = day_of_events(seed=5, fills=30)
    alone, desk = Desk(), Desk()
    for each in (alone, desk):
        each.outbox.append(events)
    drained(alone)
    drains = [desk.drain(9, name=name) for name in ("a", "b")]
    while desk.stream.entries:
        for drain in drains:
            drain.drain_once(0)
    for each, waking in ((alone, [alone.drain()]), (desk, drains)):
        each.clock.at += timedelta(minutes=2)
        for drain in waking:
            drain.drain_once(0)
    assert desk.everything() == alone.everything()


def test_while_the_warehouse_is_down_nothing_is_acknowledged(desk: Desk) -> None:
    """Every round raises, the outbox keeps all, and then it is drained as if nothing had been."""
    desk.tell(*day_of_events(seed=1, fills=5))
    told = len(desk.stream.entries)
    drain = desk.drain(around=lambda port: Down(port) if port is desk.events else port)
    for _ in range(TRIES_MAX + 2):
        with pytest.raises(WarehouseUnavailableError):
            drain.drain_once(0)
    assert len(desk.stream.entries) == told
    drained(desk)
    assert len(desk.events.entries) == told


class Down:
    """A port that cannot answer."""

    def __init__(self, port: Any) -> None:
        self.port = port

    def __getattr__(self, name: str) -> Any:
        def down(*_: Any, **__: Any) -> Any:
            raise WarehouseUnavailableError("down")

        return down


class Picky(MemoryFillStore):
    """Refuses for good a batch with this execution, or all when `everything`."""

    def __init__(self, exec_id: str, error: Exception, *, everything: bool = False) -> None:
        super().__init__()
        self.exec_id, self.error, self.everything = exec_id, error, everything

    def record(self, batch: FillBatch, received_at: Any) -> Any:
        """Store what is not refused."""
        if self.everything or any(fill.exec_id == self.exec_id for fill in batch.fills):
            raise self.error
        return super().record(batch, received_at)


@pytest.mark.parametrize("error", [WarehouseError("no such column"), KeyError("a fault of ours")])
def test_an_entry_that_the_warehouse_refuses_is_found_and_refused_alone(error: Exception) -> None:
    """After some rounds; its neighbors are stored, with their fees, and nothing waits in the outbox."""
    desk = Desk(fills=Picky("a.000003.01.01", error))
    messages = [execution(f"a.{n:06d}.01.01") for n in range(9)]
    desk.tell(*(message(fields) for fields in messages))
    desk.tell(*(message(commission(f"a.{n:06d}.01.01")) for n in range(9)))
    drain = desk.drain()
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(type(error)):
            drain.drain_once(0)
        assert len(desk.stream.entries) == 18
    drain.drain_once(0)
    assert not desk.stream.entries
    assert [fill.fee for fill in desk.standing()] == [Decimal("1.3")] * 8
    (refused,) = desk.events.refused.values()
    assert "a.000003.01.01" in refused.text


@shows_the_end_of("drain_stuck")
@pytest.mark.parametrize("entries", [1, 4])
@pytest.mark.parametrize("warm", [False, True], ids=["from the start", "after good ones"])
def test_a_warehouse_that_refuses_everything_sends_no_fill_to_the_dead_letter(
    entries: int, warm: bool
) -> None:
    """A table that is missing is a fault to mend and an alert, not a reason to refuse a day of fills."""
    fills = Picky("", WarehouseError("no such table"))
    desk = Desk(fills=fills)
    drain = desk.drain()
    if warm:
        desk.tell(message(execution("good.01.01")))
        drain.drain_once(0)
    fills.everything = True
    desk.tell(*(message(execution(f"a.{n:06d}.01.01")) for n in range(entries)))
    for _ in range(TRIES_MAX + 3):
        with pytest.raises(WarehouseError):
            drain.drain_once(0)
    assert len(desk.stream.entries) == entries
    assert not desk.events.refused
    assert STUCK_ALERT in desk.alerts.open
    fills.everything = False
    drain.drain_once(0)
    assert not desk.alerts.open
    assert len(desk.standing()) == entries + warm


def test_a_poisoned_entry_alone_is_refused_once_the_warehouse_is_proven_sound() -> None:
    """What was stored before is stored again, which changes nothing; so it is the entry."""
    desk = Desk(fills=Picky("bad.01.01", WarehouseError("no such column")))
    desk.tell(message(execution("good.01.01")))
    drain = desk.drain()
    drain.drain_once(0)
    desk.tell(message(execution("bad.01.01")))
    for _ in range(TRIES_MAX - 1):
        with pytest.raises(WarehouseError):
            drain.drain_once(0)
    assert drain.drain_once(0).refused == 1
    assert not desk.stream.entries
    assert [entry.text for entry in desk.events.refused.values() if "bad.01.01" in entry.text]


def test_the_live_state_hears_what_is_held_and_what_works(desk: Desk) -> None:
    """The newest complete answers and what was told since; a broken answer changes nothing."""
    desk.tell(
        answer("positions", [position("DU1", 1, "2"), position("DU2", 2, "1")]),
        answer("positions", [], "partial"),
        ordered(order("Submitted", "1")),
        answer("open_orders", [order("Submitted", "2"), order("PreSubmitted", "3")]),
        ordered(order("Filled", "2")),
        ordered(order("PendingSubmit", "4")),
    )
    desk.drain().drain_once(0)
    held = desk.live_state.open_positions("DU1")
    assert held is not None
    assert held.positions == (position("DU1", 1, "2"),)
    working = desk.live_state.working_orders("DU1")
    assert working is not None
    assert [told.perm_id for told in working.orders] == ["3", "4"]
    flat = desk.live_state.working_orders("DU2")
    assert flat is not None
    assert flat.orders == ()


def test_a_live_state_that_is_down_holds_nothing_up(desk: Desk) -> None:
    """It is told again by the next answer."""

    class Silent:
        def __getattr__(self, name: str) -> Any:
            def down(*_: Any) -> Any:
                raise LiveStateUnavailableError("down")

            return down

    desk.tell(answer("positions", [position()]), ordered(order()))
    desk.drain(around=lambda port: Silent() if port is desk.live_state else port).drain_once(0)
    assert not desk.stream.entries


def test_positions_are_watched_after_a_complete_answer_only(desk: Desk) -> None:
    """Once per round, not for each of many answers; a watch that fails is tried again."""
    drain = desk.drain()
    desk.tell(answer("positions", [], "partial"), ordered(order()))
    drain.drain_once(0)
    assert desk.watched == []
    desk.tell(*(answer("positions", [position()]) for _ in range(5)))
    drain.drain_once(0)
    drain.drain_once(0)
    assert desk.watched == [1]


def test_a_watch_that_fails_is_tried_again(desk: Desk) -> None:
    """It holds no entry up."""
    failures = [WarehouseUnavailableError("down"), InvalidFieldError("a", "b", "c")]

    def watch(_: datetime) -> None:
        if failures:
            raise failures.pop()
        desk.watched.append(1)

    tools = DrainTools(
        reader=MemoryOutboxReader(desk.stream, "a"),
        fills=FillTools(messages=LiveMessages(), events=desk.events, fills=desk.fills, clock=desk.clock),
        live_state=None,
        on_positions=watch,
    )
    drain = OutboxDrain(tools)
    desk.tell(answer("positions", [position()]))
    for _ in range(4):
        drain.drain_once(0)
        desk.clock.at += timedelta(seconds=2)
    assert desk.watched == [1]
    assert not desk.stream.entries


def test_what_a_dead_drain_on_another_machine_held_is_claimed(desk: Desk) -> None:
    """After its time, and not before."""
    seconds = [0.0]
    desk.stream.stepped = lambda: seconds[0]
    desk.tell(message(execution("a.b.01.01")))
    MemoryOutboxReader(desk.stream, "dead").read(10, 0)
    drain = desk.drain(name="b")
    drain.drain_once(0)
    assert desk.standing() == []
    seconds[0] = 31.0
    desk.clock.at += timedelta(seconds=31)
    drain.drain_once(0)
    assert len(desk.standing()) == 1
