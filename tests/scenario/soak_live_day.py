"""A whole day with random faults, compressed: nothing lost, nothing twice, memory flat, differences noticed.

Gateway, session and drain are processes of their own, over TCP, with a real Redis and the embedded warehouse.
2,000 orders and 10,000 executions in 6.5 simulated hours; DESK_SOAK_SCALE=0.1 is a quick look at a tenth.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
import soak_day
from live_desk import LiveDesk, live_desk
from soak_day import Day

import sql
from adapters.clickhouse.break_store import ClickHouseBreakStore
from adapters.configuration import load_settings
from adapters.ibkr.read_file import read
from adapters.wiring import ingest_stores, open_live_state, pnl_stores, reconcile_stores
from desk.gateway_control import GatewayControlError, do_fault, show
from desk.play_folder import PlayFolder, session_to_play
from desk.sample_desk import compare_with_journal
from desk.stack.residents import BROKER, DRAIN, GATEWAY
from simulation.sample_desk import Difference, Journal, compare
from trading.calendar import TradingCalendar
from trading.model.fills import Venue
from trading.reconciliation.breaks import Pass
from trading.reconciliation.sign_off import SessionState, SignOff
from trading.services.compute_books import BookTools, compute_books
from trading.services.ingest_fills import SourceFile, ingest_fills
from trading.services.reconcile_session import reconcile_session

ORDERS_LEAST, EXECUTIONS_LEAST = 2_000, 10_000  # at full size
NOTICED_WITHIN_S = 60.0  # of the broker
# The gateway keeps the day's truth and the session what it has told of the day: some KB for each of the 5,000
# executions of the second half. A fault that changes the text of every execution of the day has it told anew:
# the session and the drain then hold some ten thousand messages at once, and keep the room for them.
GROWTH_MOST_MB = {GATEWAY: 60.0, BROKER: 80.0, DRAIN: 60.0}
OVER_S, SETTLED_S, WRITTEN_S, LIFTED_S = 1_500.0, 120.0, 60.0, 90.0
SWEEPS_AFTER = 3
POLL_S = 0.25
MB = 1024 * 1024
ACCOUNTS = tuple(f"U88{number:05d}" for number in range(1, soak_day.ACCOUNTS + 1))

SWEEPS = """select count() from audit.outbox_entries where kind = 'answer' and question = 'executions'
    and completeness = 'complete' and heard_at > {since:DateTime64(6, 'UTC')}"""
BREAK_AFTER = """select break_id, state, cause, evidence, event_at from core.break_events
    where kind = 'live_position' and account = {account:String} and conid = {conid:Int64}
        and state != 'closed' and event_at >= {since:DateTime64(6, 'UTC')}
    order by event_at limit 1"""
LOCK_OF = """select min(event_at) as at, count() as many from core.lock_events
    where break_id = {id:String} and action = 'set'"""
TOLD = """select heard_at from audit.outbox_entries
    where kind = 'answer' and question = 'positions' and heard_at between {since:DateTime64(6, 'UTC')}
        and {upto:DateTime64(6, 'UTC')} and abs(dateDiff('millisecond', broker_at,
        {broker_at:DateTime64(6, 'UTC')})) < 1
    order by heard_at desc limit 1"""
STANDING = """select break_id, account, conid, difference, state, cause from core.breaks
    where kind = 'live_position' and state != 'closed'"""
LIVE_BREAKS = "select uniqExact(break_id) from core.break_events where kind = 'live_position'"


@dataclass(slots=True)
class Memory:
    """What each process held, in megabytes, each simulated quarter of an hour."""

    pids: dict[str, int]
    held: dict[str, list[float]] = field(default_factory=dict)

    def measure(self) -> None:
        """One more sample of each."""
        for name, pid in self.pids.items():
            self.held.setdefault(name, []).append(psutil.Process(pid).memory_info().rss / MB)

    def growth(self, name: str) -> float:
        """From the middle of the day to its end."""
        samples = self.held[name]
        return samples[-1] - samples[len(samples) // 2]

    def __str__(self) -> str:
        """A line for people."""
        return "; ".join(
            f"{name} {samples[0]:.0f} > {samples[len(samples) // 2]:.0f} > {samples[-1]:.0f} MB"
            for name, samples in self.held.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """One silent move and what became of it, in seconds since; None is never.

    told_s is when the second answer that shows it was heard, in the broker's seconds: it passes as fast as
    the day is played. What the platform makes of it is work of this machine, in seconds of this machine.
    """

    kind: str
    account: str
    conid: int
    moved_at: datetime
    state: str
    told_s: float | None
    break_work_s: float | None
    lock_work_s: float | None

    @property
    def after_s(self) -> float | None:
        """When the break stands, and its lock where nothing explains it."""
        work = self.lock_work_s if self.state == "open" else self.break_work_s
        return None if self.told_s is None or work is None else self.told_s + work

    @property
    def is_in_time(self) -> bool:
        """Within a broker's minute."""
        return self.after_s is not None and self.after_s < NOTICED_WITHIN_S

    def __str__(self) -> str:
        """A line for people."""
        parts = (self.told_s, self.break_work_s, self.lock_work_s)
        shown = ", ".join("never" if part is None else f"{part:.1f}" for part in parts)
        return (
            f"{self.moved_at:%H:%M:%S} {self.kind} {self.account} {self.conid} {self.state}: "
            f"told twice after, break and lock in: {shown}"
        )


@pytest.mark.soak
def test_a_day_with_faults_loses_nothing(tmp_path: Path) -> None:
    """Every execution once, memory flat, every silent move noticed within a minute, no lock left."""
    session = session_to_play(load_settings({}, with_stack=False).gateway)
    day = Day.of(session)
    script = tmp_path / "day.faults"
    script.write_text("".join(f"{line}\n" for line in day.faults()), encoding="utf-8")
    began = time.monotonic()
    with live_desk(
        tmp_path,
        gateway_command=(sys.executable, soak_day.__file__),
        more={"BROKER_SPEED": str(soak_day.SLOW)},
        SPEED=str(soak_day.FAST),
        PAUSES="true",
        FAULTS=str(script),
        SESSION=session.isoformat(),
    ) as desk:
        _sign_off_the_day_before(desk, day)
        folder = PlayFolder.of(desk.settings)
        memory = Memory({name: _pid(desk, name) for name in (GATEWAY, BROKER, DRAIN)})
        played, done = _play(desk, folder, day, memory)
        played_s = time.monotonic() - began
        live = _settled_rows(desk)
        journal = _truth(desk, folder)
        noticed = [_noticed(desk, move) for move in soak_day.read_moves(folder)]
        _print_figures(desk, played, done, memory, noticed, played_s, journal)
        unlike = list(_unexcused(journal, live, day))
        assert unlike == [], [f"{item}" for item in unlike[:10]]
        _book(desk, folder)
        _wait(lambda: not desk.warehouse.rows(STANDING), LIFTED_S, lambda: desk.warehouse.rows(STANDING))
        _print(f"live differences: {desk.warehouse.value(LIVE_BREAKS)} noticed, all lifted")
        assert compare_with_journal(journal, desk.warehouse) == ()
        assert desk.warehouse.rows(sql.query("outbox_gaps"), {"most": 10}) == []
        assert [lock for lock in ClickHouseBreakStore(desk.warehouse).locks() if lock.is_active] == []
        assert list(open_live_state(desk.settings).locks()) == []
    assert len(noticed) == len(day.moves)
    assert [move for move in noticed if not move.is_in_time] == []
    assert any(move.state == "open" for move in noticed)
    if day.scale == 1:
        assert played["orders"] >= ORDERS_LEAST and played["executions"] >= EXECUTIONS_LEAST
        assert {
            name: memory.growth(name) for name, most in GROWTH_MOST_MB.items() if memory.growth(name) > most
        } == {}
    _print(f"wall time {time.monotonic() - began:.0f} s")


# --- the day


def _play(
    desk: LiveDesk, folder: PlayFolder, day: Day, memory: Memory
) -> tuple[dict[str, Any], Sequence[dict[str, str]]]:
    """Measure each quarter of an hour until the session is over; the gateway's last words about itself."""
    due = day.opens + day.quarter
    deadline = time.monotonic() + OVER_S
    status: dict[str, Any] = {}
    while not folder.is_over():
        assert time.monotonic() < deadline, f"the session did not end: {status}"
        assert {name: desk.pid(name) for name in memory.pids} == memory.pids, "a process ended"
        status = _status(desk) or status
        if status and datetime.fromisoformat(status["now"]) >= due:
            memory.measure()
            due += day.quarter
        time.sleep(POLL_S)
    memory.measure()
    return show(desk.control_port, "status"), show(desk.control_port, "ran")["ran"]


def _settled_rows(desk: LiveDesk) -> list[dict[str, Any]]:
    """The fills when what a few sweeps after the end told is stored."""
    since = datetime.now(UTC)
    _wait(
        lambda: int(desk.warehouse.value(SWEEPS, {"since": since})) >= SWEEPS_AFTER,
        SETTLED_S,
        lambda: f"fewer than {SWEEPS_AFTER} complete sweeps after the end",
    )
    return desk.warehouse.rows(sql.query("fills_standing"))


def _truth(desk: LiveDesk, folder: PlayFolder) -> Journal:
    """Let the gateway book the day and go on to the morning, where it writes down what the day was."""
    do_fault(desk.control_port, "thaw clock")
    _wait(folder.journal.exists, WRITTEN_S, lambda: "the gateway did not write its journal")
    time.sleep(POLL_S)
    return Journal.read(folder.journal)


def _unexcused(journal: Journal, rows: Sequence[dict[str, Any]], day: Day) -> Iterator[Difference]:
    """What was heard live and is not the truth: all but what a stream cannot know.

    It cannot know that an execution was taken back, nor a fee of which no report was sent to this client.
    """
    trades = {row["fill_id"]: row for row in journal.fills if row["kind"] == "trade"}
    executed = replace(journal, fills=tuple(trades.values()))
    for found in compare(executed, fills=rows):
        trade = trades.get(found.key[2])
        if trade is not None and found.column == "fees" and _is_fee_untold(trade, day):
            continue
        if trade is not None and trade["busted"] and found.column in ("busted", "quantity", "fees"):
            continue
        yield found


def _is_fee_untold(trade: Mapping[str, Any], day: Day) -> bool:
    """Executed while no reports were sent, corrected then, or ordered by hand, as all shares are."""
    at = datetime.fromisoformat(trade["fill_ts"])
    is_by_hand = trade["instrument_id"].startswith("STK:")
    is_corrected_so = trade["corrected"] and day.corrects_without_fees
    return is_by_hand or is_corrected_so or any(first <= at <= last for first, last in day.without_fees())


def _noticed(desk: LiveDesk, move: dict[str, Any]) -> Noticed:
    moved_at = datetime.fromtimestamp(move["wall"], UTC)
    asked = {"account": move["account"], "conid": move["conid"], "since": moved_at}
    found = next(iter(desk.warehouse.rows(BREAK_AFTER, asked)), None)
    lock = desk.warehouse.rows(LOCK_OF, {"id": found["break_id"]})[0] if found else {"many": 0}
    told_at = _told_at(desk, moved_at, found) if found else None
    told_s = None if told_at is None else (told_at - moved_at).total_seconds() * soak_day.SLOW
    return Noticed(
        kind=move["kind"],
        account=move["account"],
        conid=move["conid"],
        moved_at=datetime.fromisoformat(move["at"]),
        state=found["state"] if found else "",
        told_s=told_s,
        break_work_s=_seconds(told_at, found["event_at"]) if found else None,
        lock_work_s=_seconds(told_at, lock["at"]) if lock["many"] else None,
    )


def _told_at(desk: LiveDesk, moved_at: datetime, found: dict[str, Any]) -> datetime | None:
    """When the newer of the two answers that the break names was heard."""
    newest = max(datetime.fromisoformat(at) for at in found["evidence"])
    asked = {"since": moved_at, "upto": found["event_at"], "broker_at": newest}
    return next((row["heard_at"] for row in desk.warehouse.rows(TOLD, asked)), None)


def _seconds(since: datetime | None, until: datetime) -> float | None:
    return None if since is None else max(0.0, (until - since).total_seconds())


# --- before and after it


def _sign_off_the_day_before(desk: LiveDesk, day: Day) -> None:
    """Locks are for accounts that were reconciled before: a first import is full of differences."""
    before = TradingCalendar().previous_session(day.session)
    words = [
        SignOff(
            venue=Venue.IBKR, account=account, session=before, state=SessionState.RECONCILED,
            made_in=Pass.FINAL, run_id="", statement_sha256="", breaks_open=0, breaks_explained=0,
            largest_open_base=None, author="the soak", decided_at=datetime.now(UTC),
        )
        for account in ACCOUNTS
    ]  # fmt: skip
    ClickHouseBreakStore(desk.warehouse).put_sign_offs(words)


def _book(desk: LiveDesk, folder: PlayFolder) -> None:
    """The broker's statements come in, the books are computed and compared: reconciled to zero breaks."""
    stores = ingest_stores(desk.settings, desk.warehouse, "soak")
    for path in sorted(folder.statements.rglob("*.xml")):
        file = read(path)
        ingest_fills([SourceFile(name=path.name, batches=file.batches, statements=file.statements)], stores)
    compute_books(folder.session, BookTools(stores=pnl_stores(desk.warehouse)))
    stores_of_all = reconcile_stores(desk.settings, desk.warehouse)
    for account in ACCOUNTS:
        report = reconcile_session(
            stores_of_all, desk.settings.reconciliation, Venue.IBKR, account, folder.session
        )
        assert report.open_breaks == ()
        assert report.sign_off.state is SessionState.RECONCILED


# --- small parts


def _wait(is_so: Callable[[], bool], limit_s: float, what: Callable[[], object]) -> None:
    deadline = time.monotonic() + limit_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(what())
        time.sleep(POLL_S)


def _status(desk: LiveDesk) -> dict[str, Any] | None:
    try:
        return show(desk.control_port, "status")
    except GatewayControlError:
        return None  # a machine that is busy; asked again at once


def _pid(desk: LiveDesk, name: str) -> int:
    pid = desk.pid(name)
    assert pid is not None, f"{name} does not run"
    return pid


def _print_figures(
    desk: LiveDesk,
    played: dict[str, Any],
    done: Sequence[dict[str, str]],
    memory: Memory,
    noticed: Sequence[Noticed],
    played_s: float,
    journal: Journal,
) -> None:
    entries = int(desk.warehouse.value("select count() from audit.outbox_entries"))
    after = [move.after_s for move in noticed if move.after_s is not None]
    _print(
        f"{played['orders']} orders, {played['executions']} executions told, {len(journal.fills)} fills, "
        f"{len(journal.corrected)} corrected, {len(journal.busted)} busted, {len(done)} faults done"
    )
    _print(f"{entries} entries of the outbox in {played_s:.0f} s: {entries / played_s:.0f} a second")
    _print(f"memory: {memory}")
    _print(f"{len(noticed)} silent moves, noticed and locked after at most {max(after, default=0.0):.1f} s")
    for move in noticed:
        _print(f"  {move}")


def _print(text: str) -> None:
    print(f"soak: {text}", flush=True)
