"""The use case: fills before their statement, one writer at a time if it can be had, one summed report."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from fill_samples import ACCOUNT, DAY, NOON, batch, corrected_order, fill

from adapters.memory.fill_store import MemoryFillStore
from adapters.memory.live_state import MemoryLiveState
from adapters.memory.statement_store import MemoryStatementStore
from trading.errors import LiveStateUnavailableError, WarehouseError, WarehouseUnavailableError
from trading.model.fills import RejectedRow, Source, Venue
from trading.model.statements import BrokerStatement, StatementKind
from trading.ports.clock import Clock
from trading.ports.live_state import Lease
from trading.services import ingest_fills as module
from trading.services.ingest_fills import IngestStores, SourceFile, ingest_fills

NOW = NOON + timedelta(hours=1)


class FixedClock(Clock):
    """Always the same moment."""

    def now(self) -> datetime:
        """An hour after the fills."""
        return NOW


class SilentLiveState(MemoryLiveState):
    """A live state that cannot be reached."""

    def acquire_lease(self, component: str, shard: str, owner: str, ttl_s: int) -> Lease | None:
        """Never answers."""
        raise LiveStateUnavailableError("down")


class FailingFillStore(MemoryFillStore):
    """A warehouse that goes away."""

    def record(self, batch: Any, received_at: datetime) -> Any:
        """Never answers."""
        raise WarehouseUnavailableError("down")


def stores(**changes: Any) -> IngestStores:
    """Everything in memory."""
    told: dict[str, Any] = {
        "fills": MemoryFillStore(),
        "statements": MemoryStatementStore(),
        "live_state": MemoryLiveState(),
        "clock": FixedClock(),
        "owner": "one",
        "pause": lambda: None,
    }
    return IngestStores(**{**told, **changes})


def statement() -> BrokerStatement:
    """A day's statement with the corrected order."""
    return BrokerStatement(
        venue=Venue.IBKR,
        account=ACCOUNT,
        kind=StatementKind.ACTIVITY,
        query_name="daily",
        from_date=DAY,
        to_date=DAY,
        generated_at=NOON,
        base_currency="USD",
        sha256="a",
        batch=corrected_order(),
    )


def test_the_report_sums_its_files_and_prints_as_one_object() -> None:
    """total = new + duplicates + corrected + rejected, by file and in sum, with first, last and age."""
    refused = RejectedRow(venue=Venue.IBKR, source=Source.LIVE, reason="no time", payload="{}")
    files = [
        SourceFile(
            name="live.jsonl", batches=(batch([fill("a.01")], rejected=[refused], warnings=("odd",)),)
        ),
        SourceFile(name="activity.xml", statements=(statement(),)),
        SourceFile(name="again.xml", statements=(statement(),)),
    ]
    told = orjson.loads(orjson.dumps(ingest_fills(files, stores()).as_document()))
    names = ("total", "new", "duplicates", "corrected", "rejected")
    assert [told[name] for name in names] == [10, 2, 5, 2, 1]
    assert [[file[name] for name in names] for file in told["files"]] == [
        [2, 1, 0, 0, 1],
        [4, 1, 1, 2, 0],
        [4, 0, 4, 0, 0],
    ]
    assert [file["statements"] for file in told["files"][1:]] == [
        {"new": 1, "known": 0},
        {"new": 0, "known": 1},
    ]
    assert told["first_fill_at"] == "2026-07-17T16:00:00+00:00"
    assert told["last_fill_at"] == "2026-07-17T16:01:39+00:00"
    assert told["age_seconds"] == 3600 - 99
    assert told["files"][0]["warnings"] == ["odd"]


def test_a_refused_position_is_counted_beside_the_trades() -> None:
    """It is in no total, which is of trade rows, and it does not pass unseen."""
    refused = RejectedRow(
        venue=Venue.IBKR, source=Source.STATEMENT, reason="no contract", payload="{}", is_trade_row=False
    )
    report = ingest_fills([SourceFile(name="a", batches=(batch([fill()], rejected=[refused]),))], stores())
    assert (report.count("total"), report.count("rejected"), report.refused_rows) == (1, 0, 1)
    assert report.as_document()["files"][0]["rejected_other"] == 1


def test_a_statements_batch_is_ingested_once_wherever_it_is_named() -> None:
    """The reader lists it beside the statement, or leaves it inside."""
    told = statement()
    both = SourceFile(name="a", batches=(told.batch,), statements=(told,))
    assert both.all_batches == SourceFile(name="a", statements=(told,)).all_batches == (told.batch,)


def test_a_statement_is_kept_only_after_its_fills() -> None:
    """A warehouse that goes away between leaves no statement that says its fills are there."""
    kept = MemoryStatementStore()
    with pytest.raises(WarehouseUnavailableError):
        ingest_fills(
            [SourceFile(name="a", statements=(statement(),))],
            stores(fills=FailingFillStore(), statements=kept),
        )
    assert kept.statements(Venue.IBKR, ACCOUNT) == []


def test_leases_are_given_back_even_after_an_error() -> None:
    """The next writer need not wait for the expiry."""
    live = MemoryLiveState()
    with pytest.raises(WarehouseUnavailableError):
        ingest_fills(
            [SourceFile(name="a", statements=(statement(),))],
            stores(fills=FailingFillStore(), live_state=live),
        )
    assert live.acquire_lease(module.LEASE_COMPONENT, f"ibkr:{ACCOUNT}", "two", 60) is not None


@pytest.mark.parametrize("live_state", [None, SilentLiveState()])
def test_ingestion_goes_on_without_a_live_state(live_state: MemoryLiveState | None) -> None:
    """The lease saves work and guards nothing: the store is right without it."""
    report = ingest_fills([SourceFile(name="a", batches=(batch([fill()]),))], stores(live_state=live_state))
    assert report.count("new") == 1


def test_a_lease_that_another_holds_is_waited_for_a_bounded_time() -> None:
    """Then ingestion goes on all the same."""
    live, pauses = MemoryLiveState(), []
    live.acquire_lease(module.LEASE_COMPONENT, f"ibkr:{ACCOUNT}", "two", 60)
    told = stores(live_state=live, pause=lambda: pauses.append(1))
    assert ingest_fills([SourceFile(name="a", batches=(batch([fill()]),))], told).count("new") == 1
    assert len(pauses) == module.LEASE_TRIES_MAX


def test_nothing_told_is_an_empty_report() -> None:
    """No files, no times, no age."""
    told = ingest_fills([], stores()).as_document()
    assert (told["total"], told["last_fill_at"], told["age_seconds"], told["files"]) == (0, None, None, [])


def test_touched_sessions_are_those_of_all_files() -> None:
    """Each once, in order."""
    later = replace(fill("b.01"), session=DAY + timedelta(days=3))
    files = [
        SourceFile(name=name, batches=(batch([row]),))
        for name, row in (("a", later), ("b", fill()), ("c", fill()))
    ]
    report = ingest_fills(files, stores())
    assert report.touched == ((ACCOUNT, DAY), (ACCOUNT, DAY + timedelta(days=3)))
    assert report.last_fill_at == datetime(2026, 7, 17, 16, 0, tzinfo=UTC)


class PickyFillStore(MemoryFillStore):
    """A warehouse that refuses what comes from one file."""

    def record(self, batch: Any, received_at: datetime) -> Any:
        """Refuse it."""
        if batch.origin == "bad":
            raise WarehouseError("no such column")
        return super().record(batch, received_at)


def test_a_file_that_is_refused_is_met_in_its_turn() -> None:
    """What stands before it is stored; its error is raised; what stands after it may come again."""
    kept = PickyFillStore()
    files = [SourceFile(name=name, batches=(batch([fill(name)], origin=name),)) for name in ("a", "bad", "c")]
    with pytest.raises(WarehouseError):
        ingest_fills(files, stores(fills=kept))
    told = kept.fills(Venue.IBKR, ACCOUNT, [DAY])
    assert [item.revision.fill_id for item in told] == ["a"]


def test_a_group_is_full_by_files_or_by_rows() -> None:
    """Small files go together; a large one ends the group, and the next is asked for only after that."""
    asked: list[int] = []

    def sizes() -> Iterator[int]:
        for rows in (1, module.TOGETHER_ROWS_MAX, 2, 3):
            asked.append(rows)
            yield rows

    groups = module.in_groups(sizes(), lambda rows: rows)
    assert next(groups) == [1, module.TOGETHER_ROWS_MAX]
    assert asked == [1, module.TOGETHER_ROWS_MAX]
    assert list(groups) == [[2, 3]]
    many = list(module.in_groups(range(module.TOGETHER_FILES_MAX * 2 + 1), lambda _: 0))
    assert [len(group) for group in many] == [module.TOGETHER_FILES_MAX, module.TOGETHER_FILES_MAX, 1]
