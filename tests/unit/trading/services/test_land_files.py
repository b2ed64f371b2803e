"""Landing: which files are ready, one bad file among good ones, a kill in between."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from trading.errors import WarehouseError, WarehouseUnavailableError
from trading.model.fills import Fill, FillBatch, FillRevision, RejectedRow, Source, Venue
from trading.model.statements import BrokerStatement
from trading.ports.clock import Clock
from trading.ports.fill_store import BatchReport, FillStore
from trading.ports.inbox import (
    FileChangedError,
    FileReader,
    FileRefusedError,
    FileStamp,
    Inbox,
    InboxFile,
    Landing,
    LandingLog,
    LandingState,
    ReadFile,
)
from trading.ports.model_runner import SessionRange
from trading.services.ingest_fills import TOGETHER_FILES_MAX, IngestStores
from trading.services.land_files import (
    LandingTools,
    find_pending,
    land,
    mark_reconciled,
    sessions_to_close,
)

NOW = datetime(2026, 3, 2, 21, 0, tzinfo=UTC)


class FixedClock(Clock):
    def now(self) -> datetime:
        return NOW


@dataclass
class FakeInbox(Inbox):
    contents: dict[str, bytes] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)

    def stamps(self) -> Mapping[str, FileStamp]:
        return {
            name: FileStamp(size_bytes=len(content), modified_ns=self.times.get(name, 0))
            for name, content in self.contents.items()
        }

    def identify(self, name: str) -> InboxFile:
        content = self.contents[name]
        if content == b"link":
            raise FileRefusedError("a link")
        return InboxFile(name=name, sha256=content.hex(), size_bytes=len(content))

    def archive(self, file: InboxFile) -> str:
        if self.contents[file.name].hex() != file.sha256:
            raise FileChangedError("another file")
        self.kept[file.sha256] = self.contents[file.name]
        return file.sha256

    def archived(self, sha256: str) -> bytes:
        return self.kept[sha256]


class FakeReader(FileReader):
    def read(self, content: bytes, name: str) -> ReadFile:
        if content == b"trap":
            raise KeyError("a field that the reader took for granted")
        if content == b"rows":
            row = RejectedRow(
                venue=Venue.KALSHI, source=Source.BACKFILL, reason="no time", payload="{}", field="time"
            )
            batch = FillBatch(venue=Venue.KALSHI, source=Source.BACKFILL, origin=name, rejected=(row,))
            raise FileRefusedError(f"{name}: no row of use", batches=(batch,))
        if content == b"bad":
            raise FileRefusedError(f"{name}: not a statement")
        batch = FillBatch(venue=Venue.IBKR, source=Source.STATEMENT, origin=name)
        return ReadFile(batches=(batch,), statements=())


@dataclass
class FakeLog(LandingLog):
    events: list[Landing] = field(default_factory=list)
    inserts: int = 0

    def record(self, landings: Sequence[Landing]) -> None:
        self.inserts += 1
        self.events.extend(landings)

    def latest(self, sha256s: Collection[str]) -> Mapping[str, LandingState]:
        return {event.file.sha256: event.state for event in self.events if event.file.sha256 in sha256s}

    def unreconciled(self) -> Sequence[Landing]:
        states = self.latest({event.file.sha256 for event in self.events})
        return [event for event in self.events if states[event.file.sha256] is LandingState.LANDED]

    def covering(self, first: date, last: date) -> Sequence[Landing]:
        return []


@dataclass
class FakeFills(FillStore):
    down: bool = False
    refuses: str = ""
    told: list[FillBatch] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)

    def record_all(self, batches: Sequence[FillBatch], received_at: datetime) -> Sequence[BatchReport]:
        self.attempts.append(len(batches))
        return super().record_all(batches, received_at)

    def record(self, batch: FillBatch, received_at: datetime) -> BatchReport:
        self.told.append(batch)
        if self.down:
            raise WarehouseUnavailableError("down")
        if batch.origin == self.refuses:
            raise WarehouseError("no such column")
        return BatchReport(
            batch_id="b",
            origin=batch.origin,
            total=1,
            new=1,
            duplicates=0,
            corrected=0,
            rejected=0,
            first_fill_at=NOW,
            last_fill_at=NOW,
            touched=(("A", date(2026, 3, 2)),),
        )

    def fills(self, venue: Venue, account: str, sessions: Collection[date]) -> Sequence[Fill]:
        return []

    def revisions(self, venue: Venue, account: str, fill_id: str) -> Sequence[FillRevision]:
        return []

    def sessions_with_fills(self, venue: Venue, account: str, start: date, end: date) -> Sequence[date]:
        return []

    def accounts(self) -> Sequence[tuple[Venue, str]]:
        return []


class NoStatements:
    def record(self, statement: BrokerStatement, received_at: datetime) -> bool:
        raise AssertionError("no statement was told")


def _tools(inbox: FakeInbox, *, down: bool = False) -> LandingTools:
    stores = IngestStores(
        fills=FakeFills(down=down),
        statements=NoStatements(),
        live_state=None,
        clock=FixedClock(),  # type: ignore[arg-type]
        owner="test",
        pause=lambda: None,
    )
    return LandingTools(inbox=inbox, reader=FakeReader(), log=FakeLog(), clock=FixedClock(), stores=stores)


def _ready(tools: LandingTools, looks: int = 2, files_max: int = 10) -> list[str]:
    stamps: Mapping[str, FileStamp] = {}
    for _ in range(looks):
        pending = find_pending(tools.inbox, tools.log, tools.clock, stamps, files_max)
        stamps = pending.stamps
    return [file.name for file in pending.files]


def test_a_file_is_ready_at_its_second_unchanged_look() -> None:
    """One look is not enough: it may still be written."""
    tools = _tools(FakeInbox({"a": b"1"}))
    assert _ready(tools, looks=1) == []
    assert _ready(tools, looks=2) == ["a"]


def test_a_growing_file_is_not_ready() -> None:
    """A file whose size or time changed between two looks waits."""
    inbox = FakeInbox({"a": b"1"})
    tools = _tools(inbox)
    before = find_pending(inbox, tools.log, tools.clock, {}, 10).stamps
    inbox.times["a"] = 5
    assert not find_pending(inbox, tools.log, tools.clock, before, 10).files


def test_the_same_content_under_two_names_is_landed_once() -> None:
    """The hash decides, not the name."""
    assert _ready(_tools(FakeInbox({"b": b"1", "a": b"1", "c": b"2"}))) == ["a", "c"]


def test_a_look_is_bounded() -> None:
    """A tick asks for no more than its bound."""
    assert _ready(_tools(FakeInbox({str(n): bytes([n]) for n in range(9)})), files_max=4) == [
        "0",
        "1",
        "2",
        "3",
    ]


def test_a_refused_file_shows_its_reason_and_is_tried_again_when_it_changes() -> None:
    """A bad file does not hold up the others, and mending it is enough."""
    inbox = FakeInbox({"bad.xml": b"bad", "good.xml": b"1"})
    tools = _tools(inbox)
    states = {item.file.name: item for item in land([inbox.identify(name) for name in inbox.contents], tools)}
    assert states["bad.xml"].state is LandingState.REFUSED
    assert "not a statement" in states["bad.xml"].reason
    assert states["good.xml"].state is LandingState.LANDED
    assert _ready(tools) == []
    inbox.contents["bad.xml"] = b"mended"
    assert _ready(tools) == ["bad.xml"]


def test_the_rows_of_a_refused_file_reach_the_dead_letter() -> None:
    """The file is refused with its reason, and its rows are stored as refused ones."""
    inbox = FakeInbox({"rows.json": b"rows"})
    tools = _tools(inbox)
    (landing,) = land([inbox.identify("rows.json")], tools)
    assert (landing.state, landing.reason) == (LandingState.REFUSED, "rows.json: no row of use")
    (batch,) = tools.stores.fills.told  # type: ignore[attr-defined]
    assert [row.reason for row in batch.rejected] == ["no time"]


def test_a_link_is_recorded_as_refused_once() -> None:
    """What must not be read is shown with its reason, not asked for again at each look."""
    tools = _tools(FakeInbox({"l.xml": b"link"}))
    assert _ready(tools, looks=5) == []
    (event,) = tools.log.events  # type: ignore[attr-defined]
    assert (event.state, event.reason) == (LandingState.REFUSED, "a link")


def test_a_file_that_changed_meanwhile_is_left_for_the_next_look() -> None:
    """Neither landed nor refused."""
    inbox = FakeInbox({"a": b"1"})
    tools = _tools(inbox)
    asked = inbox.identify("a")
    inbox.contents["a"] = b"2"
    assert land([asked], tools) == ()
    assert _ready(tools) == ["a"]


def test_a_warehouse_that_is_down_leaves_the_file_pending() -> None:
    """Nothing is recorded, the error is seen, and the file is ready again."""
    tools = _tools(FakeInbox({"a": b"1"}), down=True)
    with pytest.raises(WarehouseUnavailableError):
        land([tools.inbox.identify("a")], tools)
    assert _ready(tools) == ["a"]


def test_a_file_is_reconciled_when_its_whole_range_was() -> None:
    """A range that holds only a part of the file's sessions leaves it waiting."""
    inbox = FakeInbox({"a": b"1"})
    tools = _tools(inbox)
    land([inbox.identify("a")], tools)
    waiting = tools.log.unreconciled()
    day = date(2026, 3, 2)
    assert sessions_to_close(waiting) == SessionRange(first=day, last=day)
    other = date(2026, 3, 3)
    assert mark_reconciled(SessionRange(first=other, last=other), waiting, tools) == ()
    assert mark_reconciled(SessionRange(first=day, last=other), waiting, tools) == ("a",)
    assert sessions_to_close(tools.log.unreconciled()) is None


def test_a_reader_that_stumbles_refuses_one_file() -> None:
    """A mistake of ours in reading one file is shown as its reason; the next file lands."""
    inbox = FakeInbox({"a": b"trap", "b": b"1"})
    tools = _tools(inbox)
    first, second = land([inbox.identify(name) for name in inbox.contents], tools)
    assert (first.state, second.state) == (LandingState.REFUSED, LandingState.LANDED)
    assert "KeyError" in first.reason


def test_a_file_that_the_warehouse_refuses_holds_up_no_other() -> None:
    """The others land and are recorded; then the run fails, so that people see it."""
    inbox = FakeInbox({"a": b"1", "b": b"2"})
    tools = _tools(inbox)
    tools.stores.fills.refuses = "a"  # type: ignore[attr-defined]
    with pytest.raises(WarehouseError):
        land([inbox.identify(name) for name in inbox.contents], tools)
    assert [event.file.name for event in tools.log.events] == ["b"]  # type: ignore[attr-defined]


def test_small_files_are_stored_and_recorded_together() -> None:
    """One attempt and one record for all of them, each with what it brought, refused ones in their place."""
    inbox = FakeInbox({"a": b"1", "bad": b"bad", "c": b"3", "trap": b"trap", "e": b"5"})
    tools = _tools(inbox)
    landings = land([inbox.identify(name) for name in inbox.contents], tools)
    assert [(item.file.name, str(item.state), item.new_rows) for item in landings] == [
        ("a", "landed", 1),
        ("bad", "refused", 0),
        ("c", "landed", 1),
        ("trap", "refused", 0),
        ("e", "landed", 1),
    ]
    assert tools.stores.fills.attempts == [3]  # type: ignore[attr-defined]
    assert tools.log.inserts == 1  # type: ignore[attr-defined]


def test_a_group_that_the_warehouse_refuses_is_stored_file_by_file() -> None:
    """One try of all, then each alone; only the one that is refused alone is missing."""
    inbox = FakeInbox({name: name.encode() for name in "abcd"})
    tools = _tools(inbox)
    tools.stores.fills.refuses = "c"  # type: ignore[attr-defined]
    with pytest.raises(WarehouseError):
        land([inbox.identify(name) for name in inbox.contents], tools)
    assert tools.stores.fills.attempts == [4, 1, 1, 1, 1]  # type: ignore[attr-defined]
    assert [event.file.name for event in tools.log.events] == ["a", "b", "d"]  # type: ignore[attr-defined]
    assert _ready(tools) == ["c"]


def test_a_group_is_bounded() -> None:
    """A kill repeats no more than one group, and what was recorded before stays."""
    inbox = FakeInbox({f"{n:03}": f"{n}".encode() for n in range(TOGETHER_FILES_MAX + 1)})
    tools = _tools(inbox)
    assert len(land([inbox.identify(name) for name in inbox.contents], tools)) == TOGETHER_FILES_MAX + 1
    assert tools.stores.fills.attempts == [TOGETHER_FILES_MAX, 1]  # type: ignore[attr-defined]
    assert tools.log.inserts == 2  # type: ignore[attr-defined]
